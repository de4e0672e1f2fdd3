# syntax=docker/dockerfile:1
# One image for every worker and tool: docker build -t tongdai . && docker run tongdai --help
# It has not been built in CI yet; its steps were tried outside of a container.

FROM python:3.13-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# faust-streaming has wheels for x86-64 only; elsewhere it is compiled here.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/tongdai
WORKDIR /src
# The dependencies first: they change more seldom than the code.
COPY requirements-image.lock ./
RUN /opt/tongdai/bin/pip install --require-hashes -r requirements-image.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY config ./config
COPY workers ./workers
COPY checker ./checker
RUN /opt/tongdai/bin/pip install --no-deps .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Tongdai" \
      org.opencontainers.image.description="A switchboard for customer conversations" \
      org.opencontainers.image.licenses="Apache-2.0"
# A number, so that Kubernetes can see that it is not root.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tongdai
COPY --from=builder /opt/tongdai /opt/tongdai
# A volume that is mounted there belongs to its user.
RUN install --directory --owner=tongdai --group=tongdai /var/lib/tongdai/attachments
ENV PATH=/opt/tongdai/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /run/tongdai
USER 10001:10001
# 8080: webhooks; 9464: health and metrics of the other workers.
EXPOSE 8080 9464
# The process is told to stop by SIGTERM, which is Docker's own.
ENTRYPOINT ["tongdai"]
CMD ["--help"]
