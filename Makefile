# The verbs of Parley. `make` alone lists them; each works on a fresh clone with nothing done before.

# Node 24 comes from npm, so that every verb runs on the version that package.json pins.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

INSTALLED := node_modules/.package-lock.json

# Every verb with a description: none of them makes a file.
.PHONY: $(shell sed -n "s/^\\([a-z0-9-]*\\):.*\#\# .*/\\1/p" $(MAKEFILE_LIST))

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

start: $(INSTALLED) ## run the whole cluster here until Ctrl-C (PORT, GATEWAYS, ROOMS, DATA, …)
	@exec node infra/embedded/start.ts

check: static ## format, lint, types, pure cores, unit and contract tests; under a minute
	@node tools/programs/main.ts
	@node tools/test-run/main.ts unit

test: static ## check, end to end, a real browser; ends with "N passed, N failed"
	@node tools/programs/main.ts --browser
	@node tools/test-run/main.ts unit e2e

static: $(INSTALLED) ## format, lint, types, pure cores: what needs no test run
	@oxfmt --check .
	@oxlint
	@tsc
	@tsc -p tsconfig.core.json

unit: tools ## unit and contract tests alone
	@node tools/test-run/main.ts unit

e2e: $(INSTALLED) ## end-to-end and browser tests alone
	@node tools/programs/main.ts --browser
	@node tools/test-run/main.ts e2e

test-trace: $(INSTALLED) tools ## one message's path in a real Jaeger, built once with Go (3 min)
	@node tools/test-run/main.ts trace

tools: $(INSTALLED) ## find nats-server, or build it once with Go
	@node tools/programs/main.ts

format: $(INSTALLED) ## rewrite all files in the one format
	@oxfmt .

bench-smoke: $(INSTALLED) tools ## two small loads beside raw ws: CPU per delivery, send to ack (≤ 60 s)
	@node loadtest/bench/smoke.ts

bench: $(INSTALLED) tools ## rows B1 … B10 against raw ws and Socket.IO, TRACE by name (ONLY=B1,B3 SECONDS=10 ROUNDS=3 PEERS=raw)
	@node loadtest/bench/main.ts

drill-proxy: $(INSTALLED) tools ## clients behind a real HAProxy, counted one by one, and all cut at once (CLIENTS=1200)
	@node verify/drills/proxy.ts $(or $(CLIENTS),1200)

drill-failover: $(INSTALLED) tools ## how long rooms stand still when room nodes die, stop or leave (KILLS=20 PAUSES=2 ROLLS=1)
	@node verify/drills/failover.ts KILLS=$(or $(KILLS),20) PAUSES=$(or $(PAUSES),2) ROLLS=$(or $(ROLLS),1)

drill-nats: $(INSTALLED) tools ## how long chat stands still when NATS servers die or stop (ROUNDS=3)
	@node verify/drills/nats.ts $(or $(ROUNDS),3)

drill-partition: $(INSTALLED) tools ## the NATS leader cut from its peers in four ways; needs root, ip and iptables (ROUNDS=1)
	@node verify/drills/partition.ts $(or $(ROUNDS),1)

drill-disk: $(INSTALLED) tools ## the disk of NATS is full, and its fsync fails; needs root, mount and strace (ONLY=full)
	@node verify/drills/disk.ts $(ONLY)

drill-overload: $(INSTALLED) tools ## three times what a cluster can serve, and then a half (SECONDS=60 CORES=0.4 HELD=60; root: a CPU quota)
	@node verify/drills/overload.ts $(or $(SECONDS),60) $(or $(CORES),0.4) $(or $(HELD),60)

drill-archive: $(INSTALLED) tools ## how the archive catches up after an outage (SECONDS=60)
	@node verify/drills/archive.ts $(or $(SECONDS),60)

drill-alerts: $(INSTALLED) tools ## every alert made to fire by a real fault, in a real Prometheus (FACTOR=20 ONLY=ArchiveLags)
	@node verify/drills/alerts.ts FACTOR=$(or $(FACTOR),20) ONLY=$(ONLY)

drill-restore: $(INSTALLED) tools ## PostgreSQL, then NATS, lose everything and are restored, timed (ACKED=5000 ROOMS=50)
	@node verify/drills/restore.ts $(or $(ACKED),5000) $(or $(ROOMS),50)

explore: $(INSTALLED) ## every interleaving of two owners, a gateway and a log, within bounds (SENDS=2 LOSSES=1 PLANT=skip-fence)
	@node --import ./verify/explore/visible-fields.ts verify/explore/main.ts

mutants: $(INSTALLED) ## changes the cores in small ways; the share of changes that tests notice (ONLY=room,sdk FILE=…)
	@node tools/mutants/main.ts

fuzz-api: $(INSTALLED) tools ## a third party's fuzzer over the HTTP API (SECONDS=120 SEED=1; needs python3 with venv)
	@node verify/fuzz/api.ts

sim: $(INSTALLED) ## the whole cluster in one process on virtual time (SEED=123, or SEEDS=500 FROM=1)
	@node verify/sim/main.ts

fuzz: $(INSTALLED) ## every decoder over broken messages (RUNS=100000 SEED=1 ONLY=results)
	@node --expose-gc verify/fuzz/main.ts

chaos: $(INSTALLED) tools ## seeded faults against a real cluster, judged (SECONDS=600 SEED=1 FAULTS=F1,F2 NATS=3)
	@node verify/chaos/main.ts

hostile: $(INSTALLED) tools ## what others notice of one user who does their worst with 20 connections (SECONDS=300)
	@node loadtest/hostile/main.ts

load: $(INSTALLED) tools ## k6 scenarios with thresholds (GATEWAY=http://… ONLY=hot-room,soak SECONDS=20 SCALE=1)
	@node loadtest/k6/main.ts

report: $(INSTALLED) tools ## write loadtest/REPORT.md from bench, load and its own scenarios (ONLY=none: write only)
	@node --expose-gc loadtest/report/main.ts

plots: $(INSTALLED) tools ## the dashboards as pictures, from two minutes of a real cluster and Prometheus (SECONDS=120)
	@node loadtest/plots/main.ts SECONDS=$(or $(SECONDS),120) RATE=$(or $(RATE),150)

profile: $(INSTALLED) tools ## flame graph of a service under a row of the bench (SERVICE=gateway SHAPE=B3)
	@node loadtest/bench/profile/main.ts


up: ## build and start the whole cluster in containers, with Jaeger, Prometheus and Grafana (AUTH=dev to try it out)
	@docker compose up --build --detach --wait
	@echo "ready http://localhost:8080 · Jaeger :16686 · Prometheus :9090 · Grafana :3000"

down: ## stop what up started; its data stay in volumes
	@AUTH=$${AUTH:-jwks} docker compose down --timeout 60

test-alerts: ## every alert firing and not firing (promtool, Debian: apt-get install prometheus)
	@promtool check rules infra/prometheus/rules.yml
	@cd infra/prometheus && promtool test rules rules.test.yml

test-compose: $(INSTALLED) tools ## the real compose file on a Docker engine, with stand-in images where no registry is
	@node infra/docker/stand-ins.ts
	@node tools/test-run/main.ts compose

clean: ## remove what was built and what a cluster stored (.parley); downloads stay
	rm -rf .parley client/web/dist

# Warnings are hidden: all of them say that the system's Node is too old, which is why we bring our own.
# npm touches its own lockfile copy last, so it is the stamp of an installation that went through.
$(INSTALLED): package-lock.json
	@echo "installing packages (npm ci) …"
	@npm ci --no-audit --no-fund --loglevel=error
