# One image for every process; docker-compose.yml says which one runs.
FROM python:3.13-slim AS build
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# What the services need, pinned and with hashes, without what only development needs; cached until it changes.
COPY deploy/constraints.txt deploy/
RUN pip install --no-deps --require-hashes -r deploy/constraints.txt
COPY pyproject.toml README.md ./
COPY tnimport ./tnimport
RUN pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app tnimport
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /venv /venv
COPY config ./config
COPY tasks ./tasks
COPY workers ./workers
RUN install -d -o tnimport var /var/lib/tnimport
USER tnimport
# Nothing runs by itself: a container without a command says what there is.
CMD ["cat", "workers/README.md"]
