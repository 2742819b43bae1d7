# The bot in one container: see docs/operating.md.
# The version of Python on which the tests run.
ARG PYTHON=3.11

# Sources and what builds them stay in this stage.
FROM python:${PYTHON}-slim AS package
WORKDIR /source
COPY pyproject.toml ./
RUN python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*p["dependencies"], *p["optional-dependencies"]["postgres"], sep="\n")' > /requirements.txt
COPY README.md LICENSE ./
COPY bot bot
COPY migrations migrations
COPY moderation moderation
COPY sandbox sandbox
COPY trainer trainer
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:${PYTHON}-slim
# PyTorch for CPUs, a tenth of the other. For a GPU: --build-arg TORCH_INDEX=
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# No label of a licence: the code's is MIT, the model's sources have their own (its card names them).
LABEL org.opencontainers.image.title="toxicity-bot" \
      org.opencontainers.image.description="A Telegram bot that moderates Russian-speaking groups"

RUN useradd --uid 1000 --user-group --no-create-home --home-dir /tmp bot \
    && install --directory --owner bot --group bot /app/data /app/models
# This layer stands until a dependency changes.
RUN --mount=type=bind,from=package,source=/requirements.txt,target=/requirements.txt \
    pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} --requirement /requirements.txt
RUN --mount=type=bind,from=package,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

WORKDIR /app
USER 1000:1000
# The database; versions of the model and the files of trainings.
VOLUME ["/app/data", "/app/models"]
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_OFFLINE=1 \
    HF_HOME=/app/models/.huggingface \
    MODELS_DIR=/app/models \
    HTTP_HOST=0.0.0.0 \
    HTTP_PORT=8080 \
    LOG_FORMAT=json
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=20s --start-period=2m --retries=3 \
    CMD ["python", "-m", "bot", "health"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
