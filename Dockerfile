# Callboard and git, as docker-compose.yml runs them. The workspace is mounted at /workspace.
FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /opt/callboard
COPY . .
RUN UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 uv sync --locked --no-dev --no-editable --extra postgres

FROM python:3.13-slim
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/callboard/.venv /opt/callboard/.venv
# Any user may be given (`user:` in docker-compose.yml), so the folders that a new volume starts as belong to everybody.
RUN mkdir -m 1777 /workspace /home/callboard
# A mounted repository belongs to somebody else, and git would refuse it as dubious. Callboard's own git commands name
# it safe themselves; this is for people who run git in here.
ENV GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=/workspace \
    HOME=/home/callboard PATH=/opt/callboard/.venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /workspace
ENTRYPOINT ["callboard"]
CMD ["--help"]
