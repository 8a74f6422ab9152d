# The values of the chart: its defaults, replaced by the inputs. The release gets all values, so an
# upgrade resets a value that was changed without OpenTofu, and the checksum of the chart
# (templates/release.yaml) equals the checksum of this module.

locals {
  infra    = abspath("${path.module}/../../..")
  chart    = "${local.infra}/helm/parley"
  metadata = yamldecode(file("${local.chart}/Chart.yaml"))
  defaults = yamldecode(file("${local.chart}/values.yaml"))

  # A released chart never changes under its version; a chart in this repository does.
  chart_files    = [for file in sort(fileset(local.chart, "**")) : "${file} ${filesha256("${local.chart}/${file}")}"]
  chart_checksum = sha256(join("\n", local.chart_files))

  scaled = merge({
    gateway     = var.autoscaling.gateway
    room        = var.autoscaling.room
    persistence = null
  }, var.webhooks == null ? {} : { webhooks = null }, var.operator == null ? {} : { operator = null })
  scaling = {
    for service in ["gateway", "room"] : service => merge(local.defaults[service].autoscaling, {
      enabled = local.scaled[service] != null
      min     = try(local.scaled[service].min, local.defaults[service].autoscaling.min)
      max     = try(local.scaled[service].max, local.defaults[service].autoscaling.max)
    })
  }

  # Helm merges maps, so a request or limit that is not named has the default of the chart here, too.
  resources = {
    for name in ["gateway", "room", "persistence", "webhooks", "operator", "nats", "postgres"] : name => {
      requests = merge(local.defaults[name].resources.requests, try(var.resources[name].requests, {}))
      limits   = merge(local.defaults[name].resources.limits, try(var.resources[name].limits, {}))
    }
  }

  values = merge(local.defaults, {
    auth       = var.auth
    jwks       = var.jwks == null ? local.defaults.jwks : var.jwks
    partitions = var.partitions
    oidc = {
      clientId = try(var.oidc.client_id, "")
      scope    = try(var.oidc.scope, "")
      origins  = try(var.oidc.origins, [])
    }
    secrets = merge(local.defaults.secrets, var.secret_names)

    region = var.region == null ? local.defaults.region : {
      name         = var.region.name
      peer         = var.region.peer
      witness      = var.region.witness
      autoPromote  = var.region.auto_promote
      homes        = var.region.homes
      peerPostgres = var.region.peer_postgres
    }

    image = {
      repository = var.image.repository
      tag        = var.image.tag
      pullPolicy = var.image.pull_policy
    }

    gateway = merge(local.defaults.gateway, {
      replicas       = var.replicas.gateway
      origins        = var.origins
      trustedProxies = var.trusted_proxies
      autoscaling    = local.scaling.gateway
      service        = var.service
      resources      = local.resources.gateway
    })
    room = merge(local.defaults.room, {
      replicas    = var.replicas.room
      autoscaling = local.scaling.room
      resources   = local.resources.room
    })
    persistence = merge(local.defaults.persistence, {
      replicas       = var.replicas.persistence
      searchLanguage = var.search_language
      resources      = local.resources.persistence
    })
    attachments = {
      store = try(var.attachments.store, "")
      claim = try(var.attachments.claim, "")
      s3 = {
        url    = try(var.attachments.s3_url, "")
        region = try(var.attachments.s3_region, local.defaults.attachments.s3.region)
      }
    }
    webhooks = merge(local.defaults.webhooks, {
      enabled  = var.webhooks != null
      replicas = var.replicas.webhooks
      allow    = try(var.webhooks.allow, [])
      http     = try(var.webhooks.http, false)

      linkPreviews      = try(var.webhooks.link_previews, false)
      linkPreviewsAllow = try(var.webhooks.link_previews_allow, [])

      resources = local.resources.webhooks
    })
    operator = merge(local.defaults.operator, {
      enabled      = var.operator != null
      origins      = try(var.operator.origins, local.defaults.operator.origins)
      oidcClientId = try(var.operator.oidc_client_id, "")
      resources    = local.resources.operator
    })
    networkPolicy = merge(local.defaults.networkPolicy, {
      administrators = try(var.operator.administrators, [])
    })
    environment = merge(local.defaults.environment, var.environment)

    nats = merge(local.defaults.nats, {
      url     = var.nats.url
      logSize = var.nats.log_size
      spread  = var.nats.one_node ? "ScheduleAnyway" : "DoNotSchedule"
      claim   = { size = var.nats.claim_size, storageClass = var.nats.storage_class }

      resources = local.resources.nats
    })
    postgres = merge(local.defaults.postgres, {
      url        = var.postgres.url
      replicaUrl = var.postgres.replica_url
      owner      = var.postgres.owner
      serving    = var.postgres.serving
      webhooks   = var.postgres.webhooks
      claim      = { size = var.postgres.claim_size, storageClass = var.postgres.storage_class }

      resources = local.resources.postgres
    })

    monitoring = { enabled = var.monitoring != null, labels = var.monitoring == null ? {} : var.monitoring }
    tracing    = { endpoint = var.tracing_endpoint }
  })

  values_json     = jsonencode(local.values)
  values_checksum = sha256(local.values_json)
  image           = "${var.image.repository}:${var.image.tag == "" ? local.metadata.appVersion : var.image.tag}"
}
