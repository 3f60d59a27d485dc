#!/bin/sh
# Starts the whole service in containers: makes the secrets once (deploy/.env), builds the image, waits until all is
# healthy. More words are passed on to `docker compose up`, such as --scale worker=3.
set -eu
cd "$(dirname "$0")"

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

random_hex() {
  # 32 bytes; od is in every system, openssl is not.
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

docker compose version >/dev/null 2>&1 ||
  fail "Docker with its compose plugin is needed, and 'docker compose version' does not work here."

if [ ! -e .env ]; then
  # Written beside and renamed: a run that is cut off leaves no half of it.
  rm -f .env.new
  (
    umask 077
    cat >.env.new <<SECRETS
# Made by deploy/up.sh on $(date -u +%Y-%m-%d). The volumes of the database and of Redis were made with these passwords.
POSTGRES_PASSWORD=$(random_hex)
REDIS_PASSWORD=$(random_hex)
JWT_SECRET_KEY=$(random_hex)
GRAFANA_PASSWORD=$(random_hex)
SECRETS
  )
  mv .env.new .env
  echo "Made deploy/.env with new passwords; keep a copy where secrets are kept."
fi

exec docker compose -f compose.yaml up -d --build --wait "$@"
