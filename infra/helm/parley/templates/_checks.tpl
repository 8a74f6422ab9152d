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

{{- range $service := list "gateway" "operator" -}}
{{- range (get $v $service).origins -}}
{{- if not (regexMatch "^https?://[^/@\\s]+$" .) -}}
{{- $bad = append $bad (printf "%s.origins: %s is not an origin: expected https://host without a path" $service .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $v.operator.oidcClientId (ne $v.auth "jwks") -}}
{{- $bad = append $bad "operator.oidcClientId needs auth=jwks: the admin page then signs in at jwks.issuer" -}}
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

{{- range list "gateway" "room" "persistence" "webhooks" "operator" -}}
{{- with (((get $v .).resources.limits).memory) -}}
{{- if lt (include "parley.mebibytes" (toString .) | int64) 1 -}}
{{- $bad = append $bad (printf "resources.limits.memory: %s is not a size: expected a whole number with Mi, Gi or Ti" (toString .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- with $v.attachments -}}
{{- if and (eq .store "folder") (not .claim) -}}
{{- $bad = append $bad "attachments.claim is not set: attachments.store=folder needs an existing PersistentVolumeClaim that all gateways and persistence pods mount at once (ReadWriteMany); without one use attachments.store=s3" -}}
{{- end -}}
{{- if and (eq .store "folder") $v.region.name -}}
{{- $bad = append $bad "attachments.store=folder is the volume of one region: with region.name use s3, and a bucket that both regions reach" -}}
{{- end -}}
{{- if and (eq .store "s3") (not (regexMatch "^https?://[^/@\\s]+(/\\S*)?$" .s3.url)) -}}
{{- $bad = append $bad "attachments.s3.url is not valid: expected https://host/bucket, without a user (the keys are in a Secret)" -}}
{{- end -}}
{{- if and .claim (ne .store "folder") -}}
{{- $bad = append $bad "attachments.claim needs attachments.store=folder" -}}
{{- end -}}
{{- if and .s3.url (ne .store "s3") -}}
{{- $bad = append $bad "attachments.s3.url needs attachments.store=s3" -}}
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
{{- if $v.region.homes -}}
{{- if not (regexMatch "^postgres(ql)?://[^/@\\s]+/[^/@\\s?]+(\\?\\S*)?$" $v.region.peerPostgres) -}}
{{- $bad = append $bad "region.peerPostgres is not valid: region.homes needs the PostgreSQL of the other region, as postgres://host:5432/database" -}}
{{- end -}}
{{- if lt (int $v.partitions) 2 -}}
{{- $bad = append $bad "region.homes needs at least 2 partitions, one for each home" -}}
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
{{- range list "serving" "webhooks" -}}
{{- if eq $v.postgres.owner (get $v.postgres .) -}}
{{- $bad = append $bad (printf "postgres.%s is also the owner of the schema: name two roles" .) -}}
{{- end -}}
{{- end -}}
{{- if eq $v.postgres.serving $v.postgres.webhooks -}}
{{- $bad = append $bad "postgres.webhooks is also the role of persistence: name two roles" -}}
{{- end -}}

{{- $own := include "parley.ownVariables" . | fromJson -}}
{{- range $service, $variables := $v.environment -}}
{{- range $name, $_ := $variables -}}
{{- if has $name (concat $own.each (get $own $service)) -}}
{{- $bad = append $bad (printf "environment.%s: the chart sets %s itself, by another value or by a Secret" $service $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- $bad = concat $bad (include "parley.missingSecrets" . | fromJsonArray) -}}
{{- with $bad -}}
{{- fail (printf "the values are not valid:\n  %s" (join "\n  " .)) -}}
{{- end -}}
{{- end }}

{{/*
The variables that the templates set for each service, in some release, as JSON. INVITE_KEY would be
a second key beside that of the Secret.
*/}}
{{- define "parley.ownVariables" -}}
{{- toJson (dict
  "each" (list "NATS_URL" "NATS_NKEY_FILE" "PARTITIONS" "LOG_LEVEL" "METRICS_HOST" "METRICS_PORT" "NODE_OPTIONS" "REGION" "OTEL_EXPORTER_OTLP_ENDPOINT")
  "gateway" (list "HOST" "PORT" "ORIGINS" "TRUSTED_PROXIES" "PROXY_PROTOCOL" "GATEWAY_MEMORY_MIB" "TRACE_RATIO" "LINK_PREVIEWS" "AUTH" "NODE_ENV" "JWKS_URL" "JWT_ISSUER" "JWT_AUDIENCE" "OIDC_CLIENT_ID" "OIDC_SCOPE" "OIDC_ORIGINS" "DEV_SECRET_FILE" "INVITE_KEY" "INVITE_KEY_FILE" "ATTACHMENTS_STORE" "ATTACHMENTS_DIR" "ATTACHMENTS_S3_URL" "ATTACHMENTS_S3_REGION" "ATTACHMENTS_S3_ACCESS_KEY" "ATTACHMENTS_S3_SECRET_KEY_FILE")
  "room" (list "ROOM_MEMORY_MIB")
  "persistence" (list "NATS_TRIM_NKEY_FILE" "DATABASE_URL" "DATABASE_PASSWORD_FILE" "DATABASE_REPLICA_URL" "SEARCH_LANGUAGE" "ATTACHMENTS_STORE" "ATTACHMENTS_DIR" "ATTACHMENTS_S3_URL" "ATTACHMENTS_S3_REGION" "ATTACHMENTS_S3_ACCESS_KEY" "ATTACHMENTS_S3_SECRET_KEY_FILE")
  "webhooks" (list "DATABASE_URL" "DATABASE_PASSWORD_FILE" "WEBHOOKS_ALLOW" "WEBHOOKS_HTTP" "LINK_PREVIEWS" "LINK_PREVIEWS_ALLOW")
  "operator" (list "HOST" "PORT" "ORIGINS" "AUTH" "NODE_ENV" "JWKS_URL" "JWT_ISSUER" "JWT_AUDIENCE" "OIDC_CLIENT_ID" "OIDC_SCOPE" "OIDC_ORIGINS" "DEV_SECRET_FILE")
  "region" (list "PEER_REGION" "WITNESS_URL" "WITNESS_NKEY_FILE" "AUTO_PROMOTE" "HOMES" "PEER_DATABASE_URL" "PEER_DATABASE_PASSWORD_FILE" "DATABASE_URL" "DATABASE_PASSWORD_FILE" "NATS_REPLICAS" "LOG_BYTES_MAX")
) -}}
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
{{- /* A NATS user that is newer than the Secret would keep the servers from starting. */ -}}
{{- with get (include "parley.secretFiles" . | fromJson) "nats" -}}
{{- $name := include "parley.secret" (list $ "nats") -}}
{{- with (lookup "v1" "Secret" $.Release.Namespace $name).data -}}
{{- $keys := get . "keys.conf" | default "" | b64dec -}}
{{- range $user, $_ := $.Files.Get "files/nats-users.json" | fromJson -}}
{{- if and $keys (not (contains (printf "%s_key:" $user) $keys)) -}}
{{- $bad = append $bad (printf "keys.conf of the Secret %s lacks the key of the NATS user %s: run infra/helm/secrets.ts with the same folder again" $name $user) -}}
{{- end -}}
{{- end -}}
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
{{- if .Values.webhooks.enabled }}
{{- $_ := set $files "webhooks" (list "webhooks.seed" "postgres-webhooks-password") }}
{{- $_ := set $files "migrate" (append $files.migrate "postgres-webhooks-password") }}
{{- end -}}
{{- if .Values.operator.enabled }}
{{- $_ := set $files "operator" (ternary (list "operator.seed" "dev-secret") (list "operator.seed") (eq .Values.auth "dev")) }}
{{- end -}}
{{- if eq .Values.attachments.store "s3" }}{{ $_ := set $files "attachments" (list "s3-access-key" "s3-secret-key") }}{{ end -}}
{{- if not .Values.nats.url }}{{ $_ := set $files "nats" (list "keys.conf" "cluster.conf") }}{{ end -}}
{{- if not .Values.postgres.url }}{{ $_ := set $files "postgres" (list "postgres-password") }}{{ end -}}
{{- if .Values.region.name }}{{ $_ := set $files "region" (list "admin.seed" "witness.seed" "postgres-password") }}{{ end -}}
{{- if and .Values.region.name .Values.region.homes }}{{ $_ := set $files "region" (append $files.region "peer-postgres-password") }}{{ end -}}
{{ toJson $files }}
{{- end }}
