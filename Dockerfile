# pgmend's container: a virtual environment made from the lock in one stage, and carried without tools into the next.
# BASE may be any image with Python 3.11 or newer and pip, both as `python3`; deploy/image/build makes one from Debian where no
# registry of images can be reached.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS builder
# worker, or tracing: the same and OpenTelemetry's SDK.
ARG REQUIREMENTS=worker
# pip's own settings, for a folder of wheels; neither reaches the image.
ARG PIP_FIND_LINKS
ARG PIP_NO_INDEX
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
# Without pip inside: the interpreter's own pip fills it, and the last stage gets none.
RUN python3 -c 'import venv; [venv.create(path, with_pip=False, symlinks=True) for path in ("/opt/pgmend", "/tmp/build")]'
COPY requirements /src/requirements
RUN python3 -m pip --python /opt/pgmend/bin/python install --require-hashes -r "/src/requirements/${REQUIREMENTS}.txt" \
    && python3 -m pip --python /tmp/build/bin/python install --require-hashes -r /src/requirements/build.txt
WORKDIR /src
COPY . .
# Bytecode that is never compared with its source: the root file system is read-only, and nothing could be written anew.
RUN python3 -m pip --python /tmp/build/bin/python wheel --no-build-isolation --no-deps --wheel-dir /tmp/wheel . \
    && python3 -m pip --python /opt/pgmend/bin/python install --no-deps --no-index /tmp/wheel/pgmend-*.whl \
    && /opt/pgmend/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /opt/pgmend/lib

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pgmend" \
      org.opencontainers.image.description="Self-healing references for Postgres" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/pgmend/bin:$PATH \
    PYTHONUNBUFFERED=1
COPY --from=builder /opt/pgmend /opt/pgmend
# Shows that it starts, and leaves bytecode of those parts of the standard library that a slim base has none of.
RUN pgmend config --help >/dev/null
ENV PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/pgmend
# A number, so that an orchestrator can verify that it is not root. Any other does as well: nothing here belongs to it.
USER 10001:10001
STOPSIGNAL SIGTERM
# For engines that look at it: the heartbeat that the worker of this container leaves in the database.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["pgmend", "check"]
ENTRYPOINT ["pgmend"]
CMD ["run"]
