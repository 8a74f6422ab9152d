{{/* Labels of an object. Argument: the root and a component: (list $ "gateway"). */}}
{{- define "parley.labels" -}}
{{- $root := index . 0 -}}
{{ include "parley.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{- define "parley.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: parley
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The image of the services and jobs, and that of gateways, which may be of another version. */}}
{{- define "parley.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "parley.gatewayImage" -}}
{{ with .Values.gateway.imageTag }}{{ $.Values.image.repository }}:{{ . }}{{ else }}{{ include "parley.image" . }}{{ end }}
{{- end }}

{{/* The name of the Secret of a service: (list $ "gateway"). */}}
{{- define "parley.secret" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
{{ get $root.Values.secrets $service | default (printf "%s-%s" $root.Release.Name $service) }}
{{- end }}

{{/*
The volume with secrets of one service: (list $ "gateway" (list "gateway.seed")). Only the listed
files are mounted. 288 is 0440: the group of the pod reads them. Where a service uses S3, the volume
also has the secret key, which is in a Secret of its own.
*/}}
{{- define "parley.secretVolume" -}}
{{- $root := index . 0 -}}
{{- $usesStore := has (index . 1) (list "gateway" "persistence") -}}
{{- if and $usesStore (eq $root.Values.attachments.store "s3") -}}
projected:
  defaultMode: 288
  sources:
    - secret:
        name: {{ include "parley.secret" (list $root (index . 1)) }}
        items:
          {{- range index . 2 }}
          - { key: {{ . }}, path: {{ . }} }
          {{- end }}
    - secret:
        name: {{ include "parley.secret" (list $root "attachments") }}
        items:
          - { key: s3-secret-key, path: s3-secret-key }
{{- else -}}
secret:
  secretName: {{ include "parley.secret" (list $root (index . 1)) }}
  defaultMode: 288
  items:
    {{- range index . 2 }}
    - { key: {{ . }}, path: {{ . }} }
    {{- end }}
{{- end -}}
{{- end }}

{{/* The store of attachments, for gateways and persistence: variables, mount and volume. */}}
{{- define "parley.attachments" -}}
{{- with .Values.attachments }}
{{- if .store }}
- { name: ATTACHMENTS_STORE, value: {{ .store }} }
{{- end }}
{{- if eq .store "folder" }}
- { name: ATTACHMENTS_DIR, value: /attachments }
{{- else if eq .store "s3" }}
- { name: ATTACHMENTS_S3_URL, value: {{ .s3.url | quote }} }
- { name: ATTACHMENTS_S3_REGION, value: {{ .s3.region | quote }} }
- name: ATTACHMENTS_S3_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ include "parley.secret" (list $ "attachments") }}, key: s3-access-key } }
- { name: ATTACHMENTS_S3_SECRET_KEY_FILE, value: /secrets/s3-secret-key }
{{- end }}
{{- end }}
{{- end }}

{{- define "parley.attachmentsMount" -}}
{{- if eq .Values.attachments.store "folder" }}
- { name: attachments, mountPath: /attachments }
{{- end }}
{{- end }}

{{- define "parley.attachmentsVolume" -}}
{{- if eq .Values.attachments.store "folder" }}
- { name: attachments, persistentVolumeClaim: { claimName: {{ .Values.attachments.claim }} } }
{{- end }}
{{- end }}

{{/* What all pods share. Argument: the user id. */}}
{{- define "parley.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ . }}
  runAsGroup: {{ . }}
  fsGroup: {{ . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "parley.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* Spread over nodes and zones: (list $ "gateway"). */}}
{{- define "parley.spread" -}}
{{- $selector := include "parley.selector" . | fromYaml -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: { matchLabels: {{ toJson $selector }} }
  {{- end }}
{{- end }}

{{/*
Probes of a service. Readiness fails while a gateway drains, and while NATS is not connected.
Liveness fails only when the event loop stands still for a minute.
*/}}
{{- define "parley.probes" -}}
startupProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{/* Variables of every service. */}}
{{- define "parley.env" -}}
- { name: NATS_URL, value: {{ include "parley.natsUrl" . | quote }} }
- { name: PARTITIONS, value: {{ .Values.partitions | int | quote }} }
- { name: LOG_LEVEL, value: {{ .Values.logLevel }} }
- { name: METRICS_HOST, value: 0.0.0.0 }
- { name: METRICS_PORT, value: "9464" }
{{- with .Values.region.name }}
- { name: REGION, value: {{ . }} }
{{- end }}
{{- with .Values.tracing.endpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }} }
{{- end }}
{{- end }}

{{/* Whose tokens a gateway and the admin page accept. */}}
{{- define "parley.tokens" -}}
- { name: AUTH, value: {{ .Values.auth }} }
{{- if eq .Values.auth "jwks" }}
- { name: NODE_ENV, value: production }
- { name: JWKS_URL, value: {{ .Values.jwks.url | quote }} }
- { name: JWT_ISSUER, value: {{ .Values.jwks.issuer | quote }} }
- { name: JWT_AUDIENCE, value: {{ .Values.jwks.audience | quote }} }
{{- else }}
- { name: DEV_SECRET_FILE, value: /owned/dev-secret }
{{- end }}
{{- end }}

{{/* What the pages of both ask of the issuer; each has a client id of its own. */}}
{{- define "parley.oidc" -}}
- { name: OIDC_SCOPE, value: {{ .Values.oidc.scope | quote }} }
- { name: OIDC_ORIGINS, value: {{ join "," .Values.oidc.origins | quote }} }
{{- end }}

{{/*
A process refuses a dev secret that a group can read, and Kubernetes mounts a Secret for a non-root
user only through its group. Argument: the root, the image and the resources.
*/}}
{{- define "parley.devSecret" -}}
{{- $root := index . 0 -}}
- name: dev-secret
  image: {{ index . 1 }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [sh, -c, "umask 077 && cp /secrets/dev-secret /owned/dev-secret"]
  {{- include "parley.container" $root | nindent 2 }}
  resources: {{- toYaml (index . 2) | nindent 4 }}
  volumeMounts:
    - { name: secrets, mountPath: /secrets, readOnly: true }
    - { name: owned, mountPath: /owned }
{{- end }}

{{/* Variables of one service that the operator adds: (list $ "gateway"). */}}
{{- define "parley.environment" -}}
{{- $root := index . 0 -}}
{{- range $name, $value := get $root.Values.environment (index . 1) }}
- { name: {{ $name }}, value: {{ toString $value | quote }} }
{{- end -}}
{{- end }}

{{/*
The stop deadlines of the services in seconds (STOP_DEADLINE_MS of each main.ts), and the grace
period of a pod: five seconds above the deadline and the time before SIGTERM.
*/}}
{{- define "parley.grace" -}}
{{- $deadlines := dict "gateway" 20 "room" 15 "persistence" 35 "webhooks" 15 "operator" 10 "region" 10 -}}
{{- $before := index . 1 -}}
{{ add (get $deadlines (index . 0)) $before 5 }}
{{- end }}

{{- define "parley.natsUrl" -}}
{{- if .Values.nats.url -}}
{{ .Values.nats.url }}
{{- else -}}
{{- $nats := printf "%s-nats" .Release.Name -}}
{{- range $i := until 3 }}{{ if $i }},{{ end }}nats://{{ $nats }}-{{ $i }}.{{ $nats }}:4222{{ end -}}
{{- end -}}
{{- end }}

{{/* DATABASE_URL for a role, without a password: (list $ "parley"). */}}
{{- define "parley.databaseUrl" -}}
{{- $root := index . 0 -}}
{{- $own := $root.Values.postgres.url -}}
{{- $url := $own | default (printf "postgres://%s-postgres:5432/parley" $root.Release.Name) -}}
{{ include "parley.withRole" (list $url (index . 1)) }}
{{- end }}

{{/* A URL of PostgreSQL with a role: (list "postgres://host/database" "parley"). */}}
{{- define "parley.withRole" -}}
{{ regexReplaceAll "^(postgres(?:ql)?://)" (index . 0) (printf "${1}%s@" (index . 1 | urlquery)) }}
{{- end }}

{{/* The port of a URL: (list "https://host/path" 443). */}}
{{- define "parley.port" -}}
{{- $host := regexReplaceAll "^[a-z]+://([^/?]*).*$" (trim (index . 0)) "${1}" -}}
{{ regexFind ":[0-9]+$" $host | trimPrefix ":" | default (index . 1 | toString) }}
{{- end }}

{{/*
The limit of the heap of a service: 60 % of the memory limit of its container. The rest is for the
young generation, buffers outside of the heap and code. Argument: the resources.
*/}}
{{- define "parley.heap" -}}
{{- with ((.limits).memory) -}}
- { name: NODE_OPTIONS, value: "--max-old-space-size={{ div (mul (include "parley.mebibytes" (toString .) | int64) 6) 10 }} --max-semi-space-size=16" }
{{- end -}}
{{- end }}

{{/* A size in MiB, or -1 when it is not a whole number of Mi, Gi or Ti. */}}
{{- define "parley.mebibytes" -}}
{{- $number := regexFind "^[0-9]+" . | default "0" | int64 -}}
{{- $factors := dict "Mi" 1 "Gi" 1024 "Ti" 1048576 -}}
{{- $unit := regexReplaceAll "^[1-9][0-9]{0,6}" . "" -}}
{{- if hasKey $factors $unit -}}{{ mul $number (get $factors $unit) }}{{- else -}}-1{{- end -}}
{{- end }}

{{/*
How a job runs: (list $ "provision" true). The third is true when this chart brings the server that
the job needs. At the first installation that server does not run before the hooks, so the job is a
part of the release. Otherwise the job is a hook, and when it fails nothing is changed.
*/}}
{{- define "parley.job" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if and (index . 2) $root.Release.IsInstall }}
metadata:
  name: {{ printf "%s-%s-install" $root.Release.Name $name }}
  labels: {{- include "parley.labels" (list $root $name) | nindent 4 }}
{{- else }}
metadata:
  name: {{ printf "%s-%s" $root.Release.Name $name }}
  labels: {{- include "parley.labels" (list $root $name) | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
{{- end }}

{{/* A hook reports a wrong address soon. A job of the release waits for the servers of the chart. */}}
{{- define "parley.retries" -}}
{{ ternary 10 2 (and (index . 1) (index . 0).Release.IsInstall) }}
{{- end }}

{{/*
All deployments of a service replace one pod after the other: the new pod is ready before the old
one stops.
*/}}
{{- define "parley.strategy" -}}
strategy:
  type: RollingUpdate
  rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
{{- end }}

{{/*
The replicas that the Deployment has in the cluster: (list $ "parley-gateway"). Another controller
owns the number. A manifest without it would set one pod when that controller is turned on, because
Helm removes from an object what only the manifest before had.
*/}}
{{- define "parley.liveReplicas" -}}
{{- $root := index . 0 -}}
{{- with lookup "apps/v1" "Deployment" $root.Release.Namespace (index . 1) -}}
replicas: {{ int .spec.replicas }}
{{- end -}}
{{- end }}
