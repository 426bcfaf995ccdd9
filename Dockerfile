# One image for web, worker, beat, demo and preparation; the command chooses.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# With the extra `s3`: the ledger can be exported to a bucket.
COPY requirements-s3.lock .
RUN pip install --require-hashes -r requirements-s3.lock

COPY . .
# Compiled here, since the user below may not write beside the sources.
RUN python -m compileall -q accounts catalogue gateway providers \
    && useradd --system --uid 10001 gatehouse \
    && install -d -o gatehouse -m 0700 /data

USER gatehouse
ENV GATEWAY_DATA_DIR=/data HOST=0.0.0.0 PORT=8000
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m"]
CMD ["gateway.cli", "run"]
