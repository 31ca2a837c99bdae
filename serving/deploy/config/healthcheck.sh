#!/bin/bash
# healthcheck.sh [MODEL [REST_PORT]]: succeeds if the server says that a version of the model is AVAILABLE.
# Bash alone, for images that have no HTTP client. Whoever calls it sets the time limit.
set -euo pipefail

model="${1:-vae}"
port="${2:-8501}"

exec 3<>"/dev/tcp/127.0.0.1/${port}"
printf 'GET /v1/models/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "${model}" >&3
grep --extended-regexp --quiet '"state": *"AVAILABLE"' <&3
