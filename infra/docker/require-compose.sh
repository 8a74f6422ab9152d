#!/bin/sh
# Checks what `make up` and `make down` need, and prints one line that names what is missing.

say() {
  echo "$1" >&2
  exit 1
}

command -v docker >/dev/null ||
  say "docker was not found: install Docker with Compose v2 (https://docs.docker.com/engine/install), or use make start, which needs no Docker"

version=$(docker compose version --short 2>/dev/null) || version=
case ${version#v} in
'') say "docker has no Compose v2 (\"docker compose\"): install docker-compose-plugin (https://docs.docker.com/compose/install/linux); docker-compose 1 is too old" ;;
0.* | 1.*) say "docker compose is version ${version#v}: Compose v2 is required (https://docs.docker.com/compose/install/linux)" ;;
esac

# The first line is the reason, for example a stopped daemon or a missing right.
reason=$(docker version --format '{{.Server.Version}}' 2>&1) ||
  say "the Docker daemon does not answer ($(echo "$reason" | grep -v '^$' | head -n 1)): start it (systemctl start docker), or check DOCKER_HOST and your rights"
