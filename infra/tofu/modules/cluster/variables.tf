# Inputs of one cluster. `auth` has no default. No input is a secret.

variable "kubeconfig" {
  description = "Path of the kubeconfig file that Helm and kubectl use. The provider kubectl must use the same cluster."
  type        = string

  validation {
    condition     = var.kubeconfig != ""
    error_message = "kubeconfig is empty: name a file, so that Helm does not use the default cluster of this machine by mistake."
  }
}

variable "context" {
  description = "Context of the kubeconfig file. Empty: its current context."
  type        = string
  default     = ""
}

variable "namespace" {
  description = "Namespace of the release. The module creates it."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace: expected a name of Kubernetes (a-z, 0-9 and -, at most 63 characters)."
  }
  validation {
    condition     = !contains(["default", "kube-system", "kube-public", "kube-node-lease"], var.namespace)
    error_message = "namespace: Parley needs a namespace of its own, because the module owns it."
  }
}

variable "release" {
  description = "Name of the Helm release. The Secrets and all objects begin with it."
  type        = string
  default     = "parley"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.release))
    error_message = "release: expected a name of a-z, 0-9 and -, at most 40 characters."
  }
}

variable "image" {
  description = "Image of the services. An empty tag is the version of the chart."
  type = object({
    repository  = string
    tag         = optional(string, "")
    pull_policy = optional(string, "IfNotPresent")
  })

  validation {
    condition     = var.image.repository != ""
    error_message = "image.repository is empty: name your registry, for example registry.example/parley."
  }
  validation {
    condition     = var.image.tag != "latest"
    error_message = "image.tag: latest changes without a plan; name a version."
  }
}

variable "auth" {
  description = "How users authenticate: jwks (your issuer), or dev to try Parley out. With dev, any client that reaches a gateway can be any user."
  type        = string

  validation {
    condition     = contains(["jwks", "dev"], var.auth)
    error_message = "auth: choose jwks, or dev to try Parley out."
  }
}

variable "jwks" {
  description = "The issuer of tokens; needed with auth = \"jwks\"."
  type = object({
    url      = string
    issuer   = string
    audience = string
  })
  default = null

  validation {
    condition     = var.auth != "jwks" || var.jwks != null
    error_message = "jwks is not set: auth = \"jwks\" needs the url, issuer and audience of your issuer."
  }
  validation {
    condition     = var.jwks == null || can(regex("^https://[^/@\\s]+(/\\S*)?$", var.jwks.url))
    error_message = "jwks.url: expected https://host/path."
  }
}

variable "oidc" {
  description = "The web client signs users in at jwks.issuer. client_id: its public client there (code flow with PKCE, no secret). scope: empty is openid profile offline_access. origins: of the issuer's endpoints, when they differ from the one of jwks.issuer. The admin page uses scope and origins, too. Null: no sign-in at the issuer."
  type = object({
    client_id = optional(string, "")
    scope     = optional(string, "")
    origins   = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.oidc == null || var.auth == "jwks"
    error_message = "oidc needs auth = \"jwks\": the web client signs users in at jwks.issuer."
  }
  validation {
    condition     = var.oidc == null || try(var.oidc.client_id, "") != "" || try(var.operator.oidc_client_id, "") != ""
    error_message = "oidc: no client signs in; set oidc.client_id, or operator.oidc_client_id for the admin page alone."
  }
  validation {
    condition     = alltrue([for origin in try(var.oidc.origins, []) : can(regex("^https?://[^/,@\\s]+$", origin))])
    error_message = "oidc.origins: expected https://host without a path."
  }
}

variable "origins" {
  description = "Exact list of allowed browser origins, for example https://chat.example."
  type        = list(string)

  validation {
    condition     = length(var.origins) > 0
    error_message = "origins is empty: name at least one origin."
  }
  validation {
    condition     = alltrue([for origin in var.origins : can(regex("^https?://[^/@\\s]+$", origin))])
    error_message = "origins: expected https://host without a path."
  }
}

variable "trusted_proxies" {
  description = "Addresses and CIDR ranges of the proxies in front of the gateways."
  type        = list(string)
  default     = []
}

variable "replicas" {
  description = "Pods of each service. An autoscaled service ignores its number."
  type = object({
    gateway     = optional(number, 2)
    room        = optional(number, 2)
    persistence = optional(number, 2)
    webhooks    = optional(number, 2)
  })
  default = {}

  validation {
    condition     = alltrue([for count in values(var.replicas) : count >= 1 && count <= 1000 && floor(count) == count])
    error_message = "replicas: expected whole numbers from 1 to 1000."
  }
}

variable "webhooks" {
  description = "Processes that send events to back ends (docs/webhooks.md). allow: networks of receivers beside public addresses. http: true permits http. link_previews: true lets users switch previews of links on (docs/link-previews.md); link_previews_allow: networks of links beside public addresses. Null: none."
  type = object({
    allow = optional(list(string), [])
    http  = optional(bool, false)

    link_previews       = optional(bool, false)
    link_previews_allow = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.webhooks == null || alltrue([for network in try(var.webhooks.link_previews_allow, []) : can(regex("^[0-9a-fA-F.:]+/[0-9]{1,3}$", network))])
    error_message = "webhooks.link_previews_allow: expected networks such as 10.0.0.0/8."
  }

  validation {
    condition     = var.webhooks == null || alltrue([for network in try(var.webhooks.allow, []) : can(regex("^[0-9a-fA-F.:]+/[0-9]{1,3}$", network))])
    error_message = "webhooks.allow: expected networks such as 10.0.0.0/8."
  }
}

variable "attachments" {
  description = "Files of messages (docs/attachments.md). store = \"folder\": claim is an existing PersistentVolumeClaim of the namespace, one ReadWriteMany volume that all gateways and persistence pods mount. store = \"s3\": s3_url is the bucket, as https://s3.eu-central-1.amazonaws.com/bucket; its keys are the files s3-access-key and s3-secret-key of keys_folder. Null: the cluster takes no files."
  type = object({
    store     = string
    claim     = optional(string, "")
    s3_url    = optional(string, "")
    s3_region = optional(string, "us-east-1")
  })
  default = null

  validation {
    condition     = var.attachments == null || contains(["folder", "s3"], try(var.attachments.store, ""))
    error_message = "attachments.store: expected folder or s3."
  }
  validation {
    condition     = try((var.attachments.store == "folder") == (var.attachments.claim != ""), true)
    error_message = "attachments.claim: store = \"folder\" needs an existing claim that all gateways and persistence pods mount at once, and s3 has none."
  }
  validation {
    condition     = try((var.attachments.store == "s3") == can(regex("^https?://[^/@\\s]+(/\\S*)?$", var.attachments.s3_url)), true)
    error_message = "attachments.s3_url: store = \"s3\" needs https://host/bucket, without a user: the keys are in a Secret."
  }
}

variable "operator" {
  description = "The admin page (docs/operating/admin-page.md): one pod, without an Ingress. origins: where browsers see it. oidc_client_id: its public client at the issuer. administrators: peers (as in a NetworkPolicy) that reach its port; a port-forward needs none. Null: none."
  type = object({
    origins        = optional(list(string), ["http://localhost:8090"])
    oidc_client_id = optional(string, "")
    administrators = optional(any, [])
  })
  default = null

  validation {
    condition     = var.operator == null || (length(try(var.operator.origins, [])) > 0 && alltrue([for origin in try(var.operator.origins, []) : can(regex("^https?://[^/@\\s]+$", origin))]))
    error_message = "operator.origins: expected at least one https://host without a path."
  }
  validation {
    condition     = try(var.operator.oidc_client_id, "") == "" || var.auth == "jwks"
    error_message = "operator.oidc_client_id needs auth = \"jwks\"."
  }
}

variable "search_language" {
  description = "The language whose stems a search finds: a text search configuration of PostgreSQL, as german."
  type        = string
  default     = "simple"

  validation {
    condition     = can(regex("^[a-z_]{1,63}$", var.search_language))
    error_message = "search_language: expected a text search configuration of PostgreSQL, as german."
  }
}

variable "environment" {
  description = "Other variables of a service (docs/operating/settings.md), by service (gateway, room, persistence, webhooks, operator, region) and name. The chart refuses those that it sets itself. No secrets: the state stores them."
  type        = map(map(string))
  default     = {}

  validation {
    condition     = alltrue([for service in keys(var.environment) : contains(["gateway", "room", "persistence", "webhooks", "operator", "region"], service)])
    error_message = "environment: known services are gateway, room, persistence, webhooks, operator and region."
  }
}

variable "autoscaling" {
  description = "Limits of the autoscalers. They need prometheus-adapter with infra/helm/prometheus-adapter.yaml. Null: none."
  type = object({
    gateway = optional(object({ min = number, max = number }))
    room    = optional(object({ min = number, max = number }))
  })
  default = {}

  validation {
    condition     = alltrue([for limits in values(var.autoscaling) : limits == null || try(limits.min >= 1 && limits.min <= limits.max, false)])
    error_message = "autoscaling: expected 1 <= min <= max."
  }
}

variable "partitions" {
  description = "Number of partitions. Fixed at the first installation."
  type        = number
  default     = 16

  validation {
    condition     = var.partitions >= 1 && var.partitions <= 1024 && floor(var.partitions) == var.partitions
    error_message = "partitions: expected a whole number from 1 to 1024."
  }
}

variable "nats" {
  description = "NATS. url: your own servers, without a user. Without url, the chart runs three servers with a claim each."
  type = object({
    url           = optional(string, "")
    log_size      = optional(string, "256Mi")
    claim_size    = optional(string, "8Gi")
    storage_class = optional(string, "")
    one_node      = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.nats.url == "" || alltrue([for url in split(",", var.nats.url) : can(regex("^(nats|tls)://[^/@\\s]+$", trimspace(url)))])
    error_message = "nats.url: expected nats://host:4222 or tls://host:4222, separated by commas, without a user: seeds are in Secrets."
  }
  validation {
    condition     = alltrue([for size in [var.nats.log_size, var.nats.claim_size] : can(regex("^[1-9][0-9]{0,6}(Mi|Gi|Ti)$", size))])
    error_message = "nats: log_size and claim_size are whole numbers with Mi, Gi or Ti."
  }
}

variable "postgres" {
  description = "PostgreSQL. url: your own server, without a user and a password; replica_url: a standby of it, in the same form. Without url, the chart runs one server to try Parley out."
  type = object({
    url           = optional(string, "")
    replica_url   = optional(string, "")
    owner         = optional(string, "parley")
    serving       = optional(string, "parley_serving")
    webhooks      = optional(string, "parley_webhooks")
    claim_size    = optional(string, "8Gi")
    storage_class = optional(string, "")
  })
  default = {}

  validation {
    condition     = var.postgres.url == "" || can(regex("^postgres(ql)?://[^/@\\s]+/[^/@\\s?]+(\\?\\S*)?$", var.postgres.url))
    error_message = "postgres.url: expected postgres://host:5432/database, without a user (owner, serving) and a password (Secrets)."
  }
  validation {
    condition     = var.postgres.replica_url == "" || can(regex("^postgres(ql)?://[^/@,\\s]+/[^/@\\s?]+(\\?\\S*)?$", var.postgres.replica_url))
    error_message = "postgres.replica_url: expected postgres://host:5432/database of one server, as url."
  }
  validation {
    condition     = can(regex("^[1-9][0-9]{0,6}(Mi|Gi|Ti)$", var.postgres.claim_size))
    error_message = "postgres.claim_size: expected a whole number with Mi, Gi or Ti."
  }
  validation {
    condition     = length(distinct([var.postgres.owner, var.postgres.serving, var.postgres.webhooks])) == 3
    error_message = "postgres: owner, serving and webhooks are three roles."
  }
}

variable "resources" {
  description = "Requests and limits of gateway, room, persistence, webhooks, operator, nats and postgres. What is not named has the default of the chart."
  type = map(object({
    requests = optional(map(string), {})
    limits   = optional(map(string), {})
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.resources) : contains(["gateway", "room", "persistence", "webhooks", "operator", "nats", "postgres"], name)])
    error_message = "resources: known components are gateway, room, persistence, webhooks, operator, nats and postgres."
  }
}

variable "region" {
  description = "One of two regions (modules/dr). Needs nats.url and postgres.url, and the Secret of the region agent. Null: one region alone."
  type = object({
    name          = string
    peer          = string
    witness       = string
    auto_promote  = optional(bool, false)
    homes         = optional(bool, false)
    peer_postgres = optional(string, "")
  })
  default = null

  validation {
    condition     = var.region == null || (var.nats.url != "" && var.postgres.url != "")
    error_message = "region needs nats.url and postgres.url: the servers of the chart follow no other region."
  }
}

variable "service" {
  description = "The Service of the gateways."
  type = object({
    type        = optional(string, "ClusterIP")
    port        = optional(number, 80)
    annotations = optional(map(string), {})
  })
  default = {}

  validation {
    condition     = contains(["ClusterIP", "NodePort", "LoadBalancer"], var.service.type)
    error_message = "service.type: expected ClusterIP, NodePort or LoadBalancer."
  }
}

variable "monitoring" {
  description = "Labels by which your Prometheus selects monitors and rules (Prometheus Operator). Null: no monitors."
  type        = map(string)
  default     = null
}

variable "tracing_endpoint" {
  description = "An OTLP endpoint, as http://collector:4318. Empty: no traces."
  type        = string
  default     = ""
}

variable "keys_folder" {
  description = "Folder in which infra/helm/secrets.ts keeps seeds and passwords. The Secrets are written from it. Exclusive with secret_names."
  type        = string
  default     = ""

  validation {
    condition     = (var.keys_folder != "") != (length(var.secret_names) > 0)
    error_message = "Set either keys_folder (the module writes the Secrets) or secret_names (they exist already)."
  }
}

variable "secret_names" {
  description = "Names of existing Secrets for gateway, room, persistence, migrate, admin, nats or postgres where the chart runs them, webhooks with webhooks, operator with the admin page, attachments with S3, and region with a region."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for service in keys(var.secret_names) : contains(["gateway", "room", "persistence", "webhooks", "operator", "attachments", "migrate", "admin", "nats", "postgres", "region"], service)])
    error_message = "secret_names: known services are gateway, room, persistence, webhooks, operator, attachments, migrate, admin, nats, postgres and region."
  }
  validation {
    condition = length(var.secret_names) == 0 || alltrue([
      for service in concat(
        ["gateway", "room", "persistence", "migrate", "admin"],
        var.nats.url == "" ? ["nats"] : [],
        var.postgres.url == "" ? ["postgres"] : [],
        var.webhooks == null ? [] : ["webhooks"],
        var.operator == null ? [] : ["operator"],
        try(var.attachments.store, "") == "s3" ? ["attachments"] : [],
        var.region == null ? [] : ["region"],
      ) : try(var.secret_names[service], "") != ""
    ])
    error_message = "secret_names: gateway, room, persistence, migrate and admin are needed; also nats and postgres unless their url is set, webhooks with webhooks, operator with the admin page, attachments with S3, and region with a region."
  }
}

variable "quota" {
  description = "Limits of the namespace, as in a ResourceQuota. Null: none."
  type        = map(string)
  default     = { pods = "60", persistentvolumeclaims = "5" }
}

variable "deletion_protection" {
  description = "true: destroy removes the release, and leaves the namespace with the claims and the Secrets. false: destroy removes them and all data."
  type        = bool
  default     = true
}

variable "timeout" {
  description = "How long Helm waits until all pods are ready, as 10m."
  type        = string
  default     = "10m"

  validation {
    condition     = can(regex("^[1-9][0-9]*[smh]$", var.timeout))
    error_message = "timeout: expected a number with s, m or h."
  }
}

variable "programs" {
  description = "The programs that apply runs."
  type = object({
    helm    = optional(string, "helm")
    kubectl = optional(string, "kubectl")
    node    = optional(string, "node")
  })
  default = {}
}
