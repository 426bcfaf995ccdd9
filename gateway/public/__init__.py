"""The catalogue as people look at it: pages for anybody who may, rendered here, without a script being needed."""
