{{/*
The configuration of a NATS server. files/nats-users.json is the table of infra/nats/permissions.ts;
"<p>" stands for each partition, and for each that a split can begin: PERMITTED_PARTITIONS of
shared/protocol/partition-map.ts, or more. The Secret holds keys.conf (the public keys, as variables) and
cluster.conf (the secret of the routes).
*/}}
{{- define "parley.natsConfig" -}}
server_name: $POD_NAME
port: 4222
http: "127.0.0.1:8222"
max_payload: 1MB
jetstream {
  store_dir: "/data/jetstream"
  # An append is confirmed only after it is on the disk.
  sync_interval: always
  max_file_store: {{ include "parley.mebibytes" .Values.nats.claim.size }}MB
}
cluster {
  name: {{ .Release.Name | quote }}
  listen: "0.0.0.0:6222"
  include "cluster.conf"
  # A write to a stalled server would otherwise block elections.
  write_deadline: "1s"
  write_timeout: "close"
  ping_interval: "2s"
  ping_max: 2
}
include "keys.conf"
authorization {
  users: [
    {{- range $user, $rights := .Files.Get "files/nats-users.json" | fromJson }}
    # {{ $user }}
    { nkey: ${{ $user }}_key, permissions: {
      {{- range list "publish" "subscribe" }}
      {{ . }}: [
        {{- range get $rights . }}
        {{ . | quote }}
        {{- end }}
        {{- $each := get $rights (printf "%sEach" .) | default list }}
        {{- range $p := until (int (max 64 $.Values.partitions)) }}
        {{- range $each }}
        {{ replace "<p>" (toString $p) . | quote }}
        {{- end }}
        {{- end }}
      ]
      {{- end }}
    } }
    {{- end }}
  ]
}
{{- end }}
