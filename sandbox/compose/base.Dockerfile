# What changes seldom: Debian's own PostgreSQL, Redis and Python, and the packages that the stand-in services import.
FROM ordinaut-sandbox-debian:bookworm
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends postgresql-common \
 && sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
 && apt-get install -y -qq --no-install-recommends postgresql-15 redis-server python3 curl tzdata \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY packages /opt/packages
RUN python3 -m compileall -q /opt/packages \
 && PYTHONPATH=/opt/packages python3 -c 'import apscheduler, fastapi, prometheus_client, psutil, psycopg, psycopg.types.json, redis, sqlalchemy, uvicorn'
