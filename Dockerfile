# pgmend's container: a virtual environment made from the lock in one stage, and carried without tools into the next.
# BASE may be any image with Python 3.11 or newer, pip and Debian's tools in both stages.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
# Without pip inside: the interpreter's own pip fills it, and the last stage gets none.
RUN python3 -c 'import venv; venv.create("/opt/pgmend", with_pip=False, symlinks=True)'
COPY requirements/worker.txt requirements/build.txt /src/requirements/
RUN python3 -m pip --python /opt/pgmend/bin/python install --require-hashes -r /src/requirements/worker.txt
WORKDIR /src
COPY . .
RUN python3 -m venv --without-pip /tmp/build \
    && python3 -m pip --python /tmp/build/bin/python install --require-hashes -r requirements/build.txt \
    && python3 -m pip --python /tmp/build/bin/python wheel --no-build-isolation --no-deps --wheel-dir /tmp/wheel . \
    && python3 -m pip --python /opt/pgmend/bin/python install --no-deps /tmp/wheel/pgmend-*.whl

FROM ${BASE}
ENV PATH=/opt/pgmend/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=builder /opt/pgmend /opt/pgmend
WORKDIR /opt/pgmend
# A number, so that an orchestrator can verify that it is not root.
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["pgmend", "check"]
ENTRYPOINT ["pgmend"]
CMD ["run"]
