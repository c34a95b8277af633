# One image for the web server and for the worker; docs/deploying.md says how it is run. Anybody's base with Python 3.11 or
# newer and its venv, and anybody's with node and npm, will do: --build-arg BASE=… --build-arg NODE=…
ARG BASE=python:3.13-slim-bookworm
ARG NODE=node:22-bookworm-slim

# What browsers need, from the lock file.
FROM ${NODE} AS static
WORKDIR /build
COPY package.json package-lock.json vendored.mjs icons.mjs ./
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev && node vendored.mjs && node icons.mjs

# Python's libraries, from a lock file with hashes: wheels only, so that nothing is compiled.
FROM ${BASE} AS libraries
# With all options of the app: nobody can add one to a container whose root is read-only.
ARG REQUIREMENTS=requirements-image.txt
WORKDIR /opt/cohort-relay
COPY requirements*.txt ./
RUN python3 -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: --require-hashes -r ${REQUIREMENTS} \
    && .venv/bin/pip uninstall --yes --quiet pip

FROM ${BASE}
ARG VERSION=unknown
# What backups of PostgreSQL call; of the server's version or a newer one. Empty where the base has it, or nobody needs it.
ARG PACKAGES=postgresql-client
LABEL org.opencontainers.image.title="Cohort Relay" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
RUN if [ -n "${PACKAGES}" ]; then \
        apt-get update -qq \
        && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${PACKAGES} \
        && rm -rf /var/lib/apt/lists/*; \
    fi
WORKDIR /opt/cohort-relay
COPY --from=libraries /opt/cohort-relay/.venv .venv
COPY . .
COPY --from=static /build/static/vendor static/vendor
# Compiled here, because the code belongs to root and the root of a running container is read-only.
RUN python3 -m compileall -q -x '/[.]venv/' . \
    && mkdir -p -m 0700 /var/lib/cohort-relay && chown 10001:10001 /var/lib/cohort-relay
USER 10001:10001
ENV PATH=/opt/cohort-relay/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/cohort-relay \
    INSTANCE_PATH=/var/lib/cohort-relay \
    HOST=0.0.0.0 \
    PORT=8000
VOLUME /var/lib/cohort-relay
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
CMD ["flask", "serve"]
