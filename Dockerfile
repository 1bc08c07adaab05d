# The steps are those of ./dev, in the same order: uv, a hash-locked environment, the project itself.
FROM python:3.12-slim
RUN useradd --create-home --home-dir /var/lib/undertone undertone
WORKDIR /app
ENV UV_PYTHON_DOWNLOADS=never PATH=/app/.venv/bin:$PATH UNDERTONE_HOME=/var/lib/undertone
RUN python3 -m pip install --quiet --target .tools uv
COPY pyproject.toml requirements.lock README.md ./
RUN .tools/bin/uv venv --quiet --allow-existing .venv && .tools/bin/uv pip sync --quiet --python .venv --require-hashes requirements.lock
COPY service service
COPY workers workers
COPY connectors connectors
COPY ml ml
RUN .tools/bin/uv pip install --quiet --python .venv --no-deps --editable .
USER undertone
CMD ["undertone", "serve", "--api-only"]
