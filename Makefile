# The verbs of Parley. `make` alone lists them. Each works as the first command on a fresh clone.

# Node 24 comes from npm, so that every verb runs on the version in package.json.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

INSTALLED := node_modules/.package-lock.json

# All verbs with a description. None of them creates a file of its own name.
.PHONY: $(shell sed -n "s/^\\([a-z0-9-]*\\):.*\#\# .*/\\1/p" $(MAKEFILE_LIST))

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

start: $(INSTALLED) ## run the whole cluster on this machine until Ctrl-C (PORT, GATEWAYS, ROOMS, DATA, …)
	@NODE_COMPILE_CACHE=$${NODE_COMPILE_CACHE:-$(CURDIR)/.tools/compiled} exec node infra/embedded/start.ts

check: static ## check format, lint, types and cores; run unit and contract tests
	@node tools/programs/main.ts
	@node tools/test-run/main.ts unit

test: static ## run check, end-to-end tests and browser tests; ends with "N passed, N failed"
	@node tools/programs/main.ts --browser
	@node tools/test-run/main.ts unit e2e

static: $(INSTALLED) ## check format, lint, types and cores, without running tests
	@oxfmt --check .
	@oxlint
	@tsc
	@tsc -p tsconfig.core.json
	@tsc -p tsconfig.sdk.json

unit: tools ## run unit and contract tests only
	@node tools/test-run/main.ts unit

e2e: $(INSTALLED) ## run end-to-end and browser tests only
	@node tools/programs/main.ts --browser
	@node tools/test-run/main.ts e2e

test-trace: $(INSTALLED) tools ## test one message's trace in a real Jaeger, built once with Go (3 min)
	@node tools/test-run/main.ts trace

tools: $(INSTALLED) ## find nats-server, or build it once with Go
	@node tools/programs/main.ts

format: $(INSTALLED) ## format all files
	@oxfmt .

bench-smoke: $(INSTALLED) tools ## compare two small loads with raw ws: CPU per delivery, send to ack (≤ 60 s)
	@node loadtest/bench/smoke.ts

bench: $(INSTALLED) tools ## run benches B1 … B10 against raw ws and Socket.IO (ONLY=B1,B3 SECONDS=10 ROUNDS=3 PEERS=raw; TRACE by name)
	@node loadtest/bench/main.ts

bench-scroll: $(INSTALLED) ## scroll through 100,000 messages in Chromium: frames, long tasks, memory (SECONDS=20 COUNT=100000 THROTTLE=4)
	@node client/web/test/scroll/measure.ts SECONDS=$(or $(SECONDS),20) COUNT=$(or $(COUNT),100000) THROTTLE=$(or $(THROTTLE),1)

lighthouse: $(INSTALLED) tools ## print what Lighthouse says of the web client, desktop and phone, installed once from npm (RUNS=3 ONLY=mobile)
	@node tools/programs/main.ts --browser
	@node client/web/test/lighthouse.ts RUNS=$(or $(RUNS),3) ONLY="$(ONLY)"

first-message: $(INSTALLED) tools ## measure the time from npm install in an empty project to the first acknowledged message (RUNS=3)
	@node verify/e2e/first-message.ts RUNS=$(or $(RUNS),3)

drill-proxy: $(INSTALLED) tools ## run clients behind a real HAProxy: count them by address, then cut all at once (CLIENTS=1200)
	@node verify/drills/proxy.ts $(or $(CLIENTS),1200)

drill-sessions: $(INSTALLED) tools ## kill a gateway that holds many sessions, and measure when each has ended (SESSIONS=10000)
	@node verify/drills/sessions.ts $(or $(SESSIONS),10000)

drill-failover: $(INSTALLED) tools ## measure how long rooms wait when room nodes are killed, paused or drained (KILLS=20 PAUSES=2 ROLLS=1)
	@node verify/drills/failover.ts KILLS=$(or $(KILLS),20) PAUSES=$(or $(PAUSES),2) ROLLS=$(or $(ROLLS),1)

drill-split: $(INSTALLED) tools ## double the partitions under load and kills: pauses of rooms, and the checker (FROM=4 TO=64 RATE=500 KILLS=1 KEEP=folder)
	@node verify/drills/split.ts FROM=$(or $(FROM),4) TO=$(or $(TO),64) RATE=$(or $(RATE),500) KILLS=$(or $(KILLS),1) $(if $(KEEP),KEEP=$(KEEP))

drill-nats: $(INSTALLED) tools ## measure how long chat waits when NATS servers are killed or paused (ROUNDS=3)
	@node verify/drills/nats.ts $(or $(ROUNDS),3)

drill-partition: $(INSTALLED) tools ## cut the NATS leader from its peers in four ways; needs root, ip and iptables (ROUNDS=1)
	@node verify/drills/partition.ts $(or $(ROUNDS),1)

drill-disk: $(INSTALLED) tools ## fill the disk of NATS, and make its fsync fail; needs root, mount and strace (ONLY=full)
	@node verify/drills/disk.ts $(ONLY)

drill-overload: $(INSTALLED) tools ## apply three times the load that a cluster can serve, then half of it (SECONDS=60 CORES=0.4 HELD=60; root: a CPU quota)
	@node verify/drills/overload.ts $(or $(SECONDS),60) $(or $(CORES),0.4) $(or $(HELD),60)

drill-balance: $(INSTALLED) tools ## halve the CPU quota of one of two room nodes and measure how the work follows (RATE=2000; root: a CPU quota)
	@node verify/drills/balance.ts $(or $(RATE),2000)

drill-archive: $(INSTALLED) tools ## measure how the archive catches up after an outage (SECONDS=60)
	@node verify/drills/archive.ts $(or $(SECONDS),60)

drill-alerts: $(INSTALLED) tools ## make every alert fire by a real fault, in a real Prometheus (FACTOR=20 ONLY=ArchiveLags)
	@node verify/drills/alerts.ts FACTOR=$(or $(FACTOR),20) ONLY=$(ONLY)

drill-forecast: $(INSTALLED) tools ## let room nodes and gateways leak until they replace themselves, under load (TIMES=5)
	@node verify/drills/forecast.ts TIMES=$(or $(TIMES),5)

drill-restore: $(INSTALLED) tools ## lose all data of PostgreSQL, then of NATS; restore them and measure the time (ACKED=5000 ROOMS=50)
	@node verify/drills/restore.ts $(or $(ACKED),5000) $(or $(ROOMS),50)

drill-region: $(INSTALLED) tools ## cut one of two regions off and measure loss and recovery; needs root and ip (ROUNDS=10 MODE=stretched or both SECONDS=10 RTT=20)
	@node verify/regions/main.ts ROUNDS=$(or $(ROUNDS),10) MODE=$(or $(MODE),all) SECONDS=$(or $(SECONDS),10) RTT=$(or $(RTT),20) CUT=$(or $(CUT),both) PUBLISH=$(or $(PUBLISH),0)

forecast-eval: $(INSTALLED) ## let real Node processes leak until V8 ends them, and count how many ends were forecast (RUNS=11 SECONDS=50 PARALLEL=2)
	@node verify/forecast/main.ts RUNS=$(or $(RUNS),11) SECONDS=$(or $(SECONDS),50) PARALLEL=$(or $(PARALLEL),2) FROM=$(or $(FROM),101)

explore: $(INSTALLED) ## visit every interleaving of two owners, a gateway and a log, within bounds (SENDS=2 LOSSES=1 PLANT=skip-fence)
	@node --import ./verify/explore/visible-fields.ts verify/explore/main.ts

mutants: $(INSTALLED) ## change the cores in small ways and report the share that tests detect (ONLY=room,sdk FILE=…)
	@node tools/mutants/main.ts

fuzz-api: $(INSTALLED) tools ## fuzz the HTTP API with Schemathesis (SECONDS=120 SEED=1; needs python3 with venv)
	@node verify/fuzz/api.ts

sim: $(INSTALLED) ## simulate the whole cluster in one process on virtual time (SEED=123, or SEEDS=500 FROM=1)
	@node verify/sim/main.ts

sim-split: $(INSTALLED) ## double the partitions on virtual time while processes are killed: the waits of rooms that the product itself has (SEEDS=100 FROM=1 KILLS=room,persistence)
	@node verify/sim/split-main.ts SEEDS=$(or $(SEEDS),100) FROM=$(or $(FROM),1) $(if $(KILLS),KILLS=$(KILLS))

sim-scale: $(INSTALLED) ## simulate 100 gateways, 50 room nodes and 1,024 partitions, and compare their messages with the model (SECONDS=3600 MINUTES=20)
	@node verify/scale/main.ts

scale-model: $(INSTALLED) tools ## measure the constants of docs/scale.md (ONLY=compute USERS=1000000: what the model says of a number of users)
	@node --expose-gc verify/scale/scale-model.ts

fuzz: $(INSTALLED) ## run every decoder on malformed messages (RUNS=100000 SEED=1 ONLY=results)
	@node --expose-gc verify/fuzz/main.ts

record-messages: $(INSTALLED) ## record the messages of a released version, which later versions must decode (VERSION=v1.2.3)
	@node verify/versions/main.ts $(VERSION)

chaos: $(INSTALLED) tools ## apply seeded faults to a real cluster and check what clients saw (SECONDS=600 SEED=1 FAULTS=F1,F2 NATS=3 PREVIOUS=v1.2.3)
	@node verify/chaos/main.ts

hostile: $(INSTALLED) tools ## measure how one attacking user with 20 connections affects the others (SECONDS=300)
	@node loadtest/hostile/main.ts

load: $(INSTALLED) tools ## run k6 scenarios with thresholds (GATEWAY=http://… ONLY=hot-room,soak SECONDS=20 SCALE=1)
	@node loadtest/k6/main.ts

report: $(INSTALLED) tools ## write loadtest/REPORT.md from bench, load and its own scenarios (ONLY=none: write only)
	@node --expose-gc loadtest/report/main.ts

plots: $(INSTALLED) tools ## draw the dashboards from two minutes of a real cluster and Prometheus (SECONDS=120)
	@node loadtest/plots/main.ts SECONDS=$(or $(SECONDS),120) RATE=$(or $(RATE),150)

profile: $(INSTALLED) tools ## write a flame graph of a service under one bench (SERVICE=gateway SHAPE=B3)
	@node loadtest/bench/profile/main.ts


up: ## build and start the whole cluster in containers, with Jaeger, Prometheus and Grafana (AUTH=dev to try it out)
	@infra/docker/require-compose.sh
	@docker compose up --build --detach --wait
	@echo "ready http://localhost:8080 · Jaeger :16686 · Prometheus :9090 · Grafana :3000"

down: ## stop the containers of up; their data stay in volumes
	@infra/docker/require-compose.sh
	@AUTH=$${AUTH:-jwks} docker compose down --timeout 60

test-alerts: ## test that each alert fires and does not fire (promtool; Debian: apt-get install prometheus)
	@promtool check rules infra/prometheus/rules.yml
	@cd infra/prometheus && promtool test rules rules.test.yml

test-compose: $(INSTALLED) tools ## test the real compose file on a Docker engine, with stand-in images where no registry is reachable
	@node infra/docker/stand-ins.ts
	@node tools/test-run/main.ts compose

test-kubernetes: $(INSTALLED) tools ## test the chart on a real one-node Kubernetes, built once with Go (20 min; KEEP=1); needs root, Docker
	@node verify/kubernetes/main.ts kubernetes

test-canary: $(INSTALLED) tools ## let the real Flagger promote gateways and take them back, on the cluster of test-kubernetes; needs root, Docker
	@node verify/kubernetes/main.ts canary

test-hosts: $(INSTALLED) tools ## install on three systemd hosts with Ansible, then faults and rollouts under load; needs root, debootstrap, systemd-nspawn (STEPS=upgrade KEEP=1)
	@node verify/hosts/main.ts

sdk: $(INSTALLED) ## build and pack the SDK: .parley/sdk/parley-client-<version>.tgz
	@node tools/sdk/build.ts

docs: $(INSTALLED) ## build the documentation site: .parley/docs/site (BASE=/path/); the first run installs VitePress
	@node tools/docs-site/main.ts

pictures: $(INSTALLED) tools ## take the pictures and the recording of docs/images, in a real browser
	@node tools/programs/main.ts --browser
	@node client/web/test/screenshots.ts
	@node client/web/test/two-windows.ts
	@node client/operator/test/screenshots.ts
	@node client/web/test/recording.ts
	@node client/cli/chat/test/terminal-picture.ts

sdk-files: $(INSTALLED) ## write what is generated from the SDK and for it: docs/sdk, docs/openapi.json, docs/asyncapi.json, the types of the HTTP API
	@WRITE=1 mocha --no-config client/sdk/test/generated.test.ts

image: ## build the image of the services and jobs (IMAGE=registry.example/parley:1.2.3)
	@docker build --file infra/docker/Dockerfile --build-arg NODE_IMAGE --build-arg SOURCE --build-arg REVISION=$$(git rev-parse HEAD) --tag $(or $(IMAGE),parley:local) .

sbom: $(INSTALLED) ## list all packages in the image, as CycloneDX in .parley/release (IMAGE=parley:local)
	@node infra/docker/sbom.ts $(IMAGE)

release-files: $(INSTALLED) ## check all versions against TAG; write notes and chart to .parley/release (TAG=v1.2.3)
	@node tools/release/main.ts

clean: ## remove built files and stored data of clusters (.parley); downloads stay
	rm -rf .parley client/web/dist client/sdk/package/dist

# Warnings are hidden: all of them report that the system's Node is too old, and npm installs Node 24.
# npm writes its own lockfile copy last, so that file shows that an installation is complete.
$(INSTALLED): package-lock.json
	@echo "installing packages (npm ci) …"
	@npm ci --no-audit --no-fund --loglevel=error
