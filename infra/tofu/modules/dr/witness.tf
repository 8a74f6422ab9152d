# The witness: a small NATS with one bucket, outside both regions. Its state is the term, so the claim
# stays on destroy. It holds public keys only.

locals {
  witness_labels = { "app.kubernetes.io/name" = "parley", "app.kubernetes.io/component" = "witness" }
  witness_meta   = { name = "witness", namespace = var.witness.namespace, labels = local.witness_labels }
  witness_tls    = var.witness.tls_secret != ""
  witness_pods   = [for i in range(length(var.witness.urls)) : "witness-${i}"]
  witness_peers  = [for pod in local.witness_pods : "nats://${pod}.witness:6222"]

  # An agent reads and writes the bucket `regions`, and nothing else.
  witness_users = join("\n", [
    for region in values(var.regions) : <<-EOT
      { nkey: ${region.witness_key}, permissions: {
        publish: ["$JS.API.INFO", "$JS.API.STREAM.*.KV_regions", "$JS.API.STREAM.MSG.GET.KV_regions", "$JS.API.DIRECT.GET.KV_regions.>", "$JS.API.CONSUMER.*.KV_regions.>", "$KV.regions.>"]
        subscribe: ["_INBOX_witness.>"]
      } } # ${region.name}
    EOT
  ])

  witness_config = <<-EOT
    server_name: $POD_NAME
    port: 4222
    http: "0.0.0.0:8222"
    jetstream {
      store_dir: "/data/jetstream"
      # A term is confirmed only after it is on the disk.
      sync_interval: always
      max_file_store: 256MB
    }
    %{if length(var.witness.urls) > 1}
    cluster {
      name: "witness"
      listen: "0.0.0.0:6222"
      routes: ${jsonencode(local.witness_peers)}
    }
    %{endif}
    %{if local.witness_tls}
    tls {
      cert_file: "/tls/tls.crt"
      key_file: "/tls/tls.key"
    }
    %{endif}
    authorization {
      users: [
        ${indent(4, local.witness_users)}
      ]
    }
  EOT
}

resource "kubectl_manifest" "witness_namespace" {
  provider = kubectl.witness

  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Namespace"
    metadata = {
      name   = var.witness.namespace
      labels = { "pod-security.kubernetes.io/enforce" = "restricted" }
    }
  })
  apply_only = true
}

resource "kubectl_manifest" "witness_config" {
  provider = kubectl.witness

  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = local.witness_meta
    data       = { "nats.conf" = local.witness_config }
  })
  depends_on = [kubectl_manifest.witness_namespace]
}

resource "kubectl_manifest" "witness_routes" {
  provider = kubectl.witness

  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Service"
    metadata   = local.witness_meta
    spec = {
      clusterIP                = "None"
      publishNotReadyAddresses = true
      ports                    = [{ name = "routes", port = 6222 }]
      selector                 = local.witness_labels
    }
  })
  depends_on = [kubectl_manifest.witness_namespace]
}

# One address for each server, because an agent names each server.
resource "kubectl_manifest" "witness_server" {
  for_each = toset(local.witness_pods)
  provider = kubectl.witness

  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Service"
    metadata   = merge(local.witness_meta, { name = each.key, annotations = var.witness.service.annotations })
    spec = {
      type     = var.witness.service.type
      ports    = [{ name = "nats", port = 4222 }]
      selector = { "statefulset.kubernetes.io/pod-name" = each.key }
    }
  })
  depends_on = [kubectl_manifest.witness_namespace]
}

resource "kubectl_manifest" "witness" {
  provider = kubectl.witness

  yaml_body = yamlencode({
    apiVersion = "apps/v1"
    kind       = "StatefulSet"
    metadata   = local.witness_meta
    spec = {
      serviceName         = "witness"
      replicas            = length(var.witness.urls)
      podManagementPolicy = "Parallel"
      selector            = { matchLabels = local.witness_labels }
      template = {
        metadata = { labels = local.witness_labels, annotations = { "checksum/config" = sha256(local.witness_config) } }
        spec = {
          automountServiceAccountToken = false
          securityContext = {
            runAsNonRoot   = true
            runAsUser      = 1000
            runAsGroup     = 1000
            fsGroup        = 1000
            seccompProfile = { type = "RuntimeDefault" }
          }
          topologySpreadConstraints = [{
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "ScheduleAnyway"
            labelSelector     = { matchLabels = local.witness_labels }
          }]
          containers = [{
            name    = "nats"
            image   = var.witness.image
            command = ["nats-server", "--config", "/config/nats.conf"]
            env     = [{ name = "POD_NAME", valueFrom = { fieldRef = { fieldPath = "metadata.name" } } }]
            ports   = [{ name = "nats", containerPort = 4222 }, { name = "routes", containerPort = 6222 }]
            securityContext = {
              allowPrivilegeEscalation = false
              readOnlyRootFilesystem   = true
              capabilities             = { drop = ["ALL"] }
            }
            readinessProbe = { httpGet = { path = "/healthz", port = 8222 }, periodSeconds = 2 }
            livenessProbe  = { httpGet = { path = "/healthz?js-server-only=true", port = 8222 }, periodSeconds = 10, failureThreshold = 6 }
            resources      = { requests = { cpu = "50m", memory = "64Mi" }, limits = { memory = "256Mi" } }
            volumeMounts = concat(
              [{ name = "data", mountPath = "/data" }, { name = "config", mountPath = "/config" }],
              [for name in ["tls"] : { name = name, mountPath = "/tls" } if local.witness_tls],
            )
          }]
          volumes = concat(
            [{ name = "config", configMap = { name = "witness" } }],
            [for name in ["tls"] : { name = name, secret = { secretName = var.witness.tls_secret, defaultMode = 288 } } if local.witness_tls],
          )
        }
      }
      volumeClaimTemplates = [{
        metadata = { name = "data" }
        spec = merge(
          { accessModes = ["ReadWriteOnce"], resources = { requests = { storage = "1Gi" } } },
          { for key, value in { storageClassName = var.witness.storage_class } : key => value if value != "" },
        )
      }]
    }
  })
  depends_on = [kubectl_manifest.witness_config, kubectl_manifest.witness_routes]
}
