# Two images from one file: "web" (pages, tiles, schedule, CPU work; no torch) and "worker" (training and detection).
FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 MAD_HOME=/data
RUN useradd --uid 10001 --create-home mad && install -d -o mad -g mad /data /imagery
WORKDIR /app

FROM base AS web
COPY requirements/web.txt requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r requirements/web.txt
COPY . .
USER mad

FROM base AS worker
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/*
COPY requirements/worker.txt requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r requirements/worker.txt
COPY . .
USER mad
