"""The catalogue's rows as sheets, to carry away and to bring back: judged, confirmed, written by a worker."""
