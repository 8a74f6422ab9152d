{{/*
Rules about values that a JSON schema cannot express, or for which its message would not help. All
complaints are reported together, before anything is changed.
*/}}
{{- define "parley.check" -}}
{{- $v := .Values -}}
{{- $bad := list -}}

{{- if eq $v.auth "" -}}
{{- $bad = append $bad "auth is not chosen: set auth=jwks and jwks.* for your issuer, or auth=dev to try Parley out (any client can then be any user)" -}}
{{- end -}}
{{- if eq $v.auth "jwks" -}}
{{- range list "url" "issuer" "audience" -}}
{{- if not (get $v.jwks .) -}}
{{- $bad = append $bad (printf "jwks.%s is not set: auth=jwks needs it" .) -}}
{{- end -}}
{{- end -}}
{{- if and $v.jwks.url (not (regexMatch "^https://[^/@\\s]+(/\\S*)?$" $v.jwks.url)) -}}
{{- $bad = append $bad "jwks.url is not valid: expected https://host/path" -}}
{{- end -}}
{{- end -}}

{{- range $v.gateway.origins -}}
{{- if not (regexMatch "^https?://[^/@\\s]+$" .) -}}
{{- $bad = append $bad (printf "gateway.origins: %s is not an origin: expected https://host without a path" .) -}}
{{- end -}}
{{- end -}}
{{- if and $v.gateway.proxyProtocol (not $v.gateway.trustedProxies) -}}
{{- $bad = append $bad "gateway.proxyProtocol needs gateway.trustedProxies: list the addresses of the proxies" -}}
{{- end -}}
{{- if and (gt (float64 $v.gateway.traceRatio) 0.0) (not $v.tracing.endpoint) -}}
{{- $bad = append $bad "gateway.traceRatio needs tracing.endpoint: set it, or set the ratio to 0" -}}
{{- end -}}
{{- if and $v.tracing.endpoint (not (regexMatch "^https?://[^/@\\s]+(/\\S*)?$" $v.tracing.endpoint)) -}}
{{- $bad = append $bad "tracing.endpoint is not valid: expected http://host:4318" -}}
{{- end -}}
{{- range list "gateway" "room" -}}
{{- $scaling := (get $v .).autoscaling -}}
{{- if gt (int $scaling.min) (int $scaling.max) -}}
{{- $bad = append $bad (printf "%s.autoscaling: min is %d, above max %d" . (int $scaling.min) (int $scaling.max)) -}}
{{- end -}}
{{- end -}}

{{- range list "gateway" "room" "persistence" -}}
{{- with (((get $v .).resources.limits).memory) -}}
{{- if lt (include "parley.mebibytes" (toString .) | int64) 1 -}}
{{- $bad = append $bad (printf "resources.limits.memory: %s is not a size: expected a whole number with Mi, Gi or Ti" (toString .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- with $v.canary -}}
{{- if .enabled -}}
{{- if not .gateway.name -}}
{{- $bad = append $bad "canary.gateway.name is not set: name the Gateway (Gateway API) that clients reach" -}}
{{- end -}}
{{- if not .hosts -}}
{{- $bad = append $bad "canary.hosts is empty: list the host names of clients" -}}
{{- end -}}
{{- if not (regexMatch "^https?://[^/@\\s]+(/\\S*)?$" .prometheus) -}}
{{- $bad = append $bad "canary.prometheus is not valid: expected http://host:9090" -}}
{{- end -}}
{{- $before := 0 -}}
{{- range .weights -}}
{{- if le (int .) $before -}}
{{- $bad = append $bad (printf "canary.weights: %d follows %d: expected rising percentages" (int .) $before) -}}
{{- end -}}
{{- $before = int . -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if $v.region.name -}}
{{- if or (not $v.region.peer) (eq $v.region.peer $v.region.name) -}}
{{- $bad = append $bad "region.peer: expected the name of the other region" -}}
{{- end -}}
{{- range splitList "," $v.region.witness -}}
{{- if not (regexMatch "^(nats|tls)://[^/@\\s]+$" (trim .)) -}}
{{- $bad = append $bad "region.witness is not valid: expected nats://host:4222 or tls://host:4222, without a user (its seed is in a Secret)" -}}
{{- end -}}
{{- end -}}
{{- range list "nats" "postgres" -}}
{{- if not (get $v .).url -}}
{{- $bad = append $bad (printf "region.name needs %s.url: the servers of this chart follow no other region" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- $logSize := include "parley.mebibytes" $v.nats.logSize | int64 -}}
{{- if lt $logSize 1 -}}
{{- $bad = append $bad (printf "nats.logSize: %s is not a size: expected a whole number with Mi, Gi or Ti" $v.nats.logSize) -}}
{{- end -}}
{{- if $v.nats.url -}}
{{- range splitList "," $v.nats.url -}}
{{- if not (regexMatch "^(nats|tls)://[^/@\\s]+$" (trim .)) -}}
{{- $bad = append $bad "nats.url is not valid: expected nats://host:4222 or tls://host:4222, separated by commas, without a user (seeds are in Secrets)" -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- $claim := include "parley.mebibytes" $v.nats.claim.size | int64 -}}
{{- $needed := add (mul (int64 $v.partitions) $logSize) 1024 -}}
{{- if lt $claim 1 -}}
{{- $bad = append $bad (printf "nats.claim.size: %s is not a size: expected a whole number with Mi, Gi or Ti" $v.nats.claim.size) -}}
{{- else if lt $claim $needed -}}
{{- $bad = append $bad (printf "nats.claim.size: %s is too small: %d partitions of %s and 1Gi need at least %dMi; raise it, or lower nats.logSize" $v.nats.claim.size (int $v.partitions) $v.nats.logSize $needed) -}}
{{- end -}}
{{- end -}}

{{- if $v.postgres.url -}}
{{- if not (regexMatch "^postgres(ql)?://[^/@\\s]+/[^/@\\s?]+(\\?\\S*)?$" $v.postgres.url) -}}
{{- $bad = append $bad "postgres.url is not valid: expected postgres://host:5432/database, without a user (postgres.owner, postgres.serving) and a password (Secrets)" -}}
{{- end -}}
{{- else -}}
{{- $claim := include "parley.mebibytes" $v.postgres.claim.size | int64 -}}
{{- if lt $claim 1 -}}
{{- $bad = append $bad (printf "postgres.claim.size: %s is not a size: expected a whole number with Mi, Gi or Ti" $v.postgres.claim.size) -}}
{{- else if lt $claim 1024 -}}
{{- $bad = append $bad (printf "postgres.claim.size: %s is too small: PostgreSQL needs at least 1Gi" $v.postgres.claim.size) -}}
{{- end -}}
{{- end -}}
{{- if eq $v.postgres.owner $v.postgres.serving -}}
{{- $bad = append $bad "postgres.serving is also the owner of the schema: name two roles" -}}
{{- end -}}

{{- $bad = concat $bad (include "parley.missingSecrets" . | fromJsonArray) -}}
{{- with $bad -}}
{{- fail (printf "the values are not valid:\n  %s" (join "\n  " .)) -}}
{{- end -}}
{{- end }}

{{/*
Missing Secrets, as a JSON list of complaints. Without a cluster (helm template) `lookup` finds
nothing, not even the service account that every namespace has; then the list is empty.
*/}}
{{- define "parley.missingSecrets" -}}
{{- $bad := list -}}
{{- if lookup "v1" "ServiceAccount" .Release.Namespace "default" -}}
{{- range $service, $files := include "parley.secretFiles" . | fromJson -}}
{{- $name := include "parley.secret" (list $ $service) -}}
{{- $found := (lookup "v1" "Secret" $.Release.Namespace $name).data | default dict -}}
{{- $lacking := list -}}
{{- range $files -}}
{{- if not (hasKey $found .) -}}{{- $lacking = append $lacking . -}}{{- end -}}
{{- end -}}
{{- with $lacking -}}
{{- $bad = append $bad (printf "the Secret %s lacks %s: create it with infra/helm/secrets.ts (docs/deploy-kubernetes.md)" $name (join ", " .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ toJson $bad }}
{{- end }}

{{/* The files of each Secret that this release mounts, as JSON. */}}
{{- define "parley.secretFiles" -}}
{{- $files := dict
  "gateway" (list "gateway.seed" "invite-key")
  "room" (list "room.seed")
  "persistence" (list "persistence.seed" "trimmer.seed" "postgres-serving-password")
  "migrate" (list "postgres-password" "postgres-serving-password")
  "admin" (list "admin.seed") -}}
{{- if eq .Values.auth "dev" }}{{ $_ := set $files "gateway" (list "gateway.seed" "invite-key" "dev-secret") }}{{ end -}}
{{- if not .Values.nats.url }}{{ $_ := set $files "nats" (list "keys.conf" "cluster.conf") }}{{ end -}}
{{- if not .Values.postgres.url }}{{ $_ := set $files "postgres" (list "postgres-password") }}{{ end -}}
{{- if .Values.region.name }}{{ $_ := set $files "region" (list "admin.seed" "witness.seed" "postgres-password") }}{{ end -}}
{{ toJson $files }}
{{- end }}
