"""HTTP to the servers of a sandbox: all of it is plain, and asks no proxy."""

from __future__ import annotations

import httpx

# Reading the certificates takes longer than a request does. No connection is kept: servers are stopped and started.
CLIENT = httpx.Client(verify=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))  # noqa: S501
