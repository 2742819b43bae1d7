# The bot in one container: docker run -e BOT_TOKEN=… -v bot-data:/app/data IMAGE
FROM python:3.12-slim

# A CPU build of torch is a tenth of the default one: give its index here.
ARG TORCH_INDEX=""

WORKDIR /app
RUN useradd --create-home --uid 1000 bot && mkdir data && chown bot data

COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY moderation moderation
COPY trainer trainer
COPY sandbox sandbox
COPY migrations migrations
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} ".[postgres]"

USER bot
VOLUME /app/data
ENV PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 LOG_FORMAT=json
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
