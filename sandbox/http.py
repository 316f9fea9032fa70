"""HTTP client for the servers of a sandbox: without TLS and without a proxy."""

from __future__ import annotations

import httpx

# Loading certificates takes longer than a request. No connection is kept, since servers are stopped and started.
CLIENT = httpx.Client(verify=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))  # noqa: S501
