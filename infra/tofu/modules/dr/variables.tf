# Inputs of two regions. What both must have in common is one input, so that the regions cannot differ.

variable "settings" {
  description = "What both regions share: inputs of the module cluster with the same names."
  type = object({
    image           = object({ repository = string, tag = optional(string, "") })
    auth            = string
    jwks            = optional(object({ url = string, issuer = string, audience = string }))
    oidc            = optional(object({ client_id = optional(string, ""), scope = optional(string, ""), origins = optional(list(string), []) }))
    origins         = list(string)
    trusted_proxies = optional(list(string), [])
    partitions      = optional(number, 16)
    replicas = optional(object({
      gateway     = optional(number, 2)
      room        = optional(number, 2)
      persistence = optional(number, 2)
      webhooks    = optional(number, 2)
    }), {})
    webhooks = optional(object({
      allow = optional(list(string), [])
      http  = optional(bool, false)

      link_previews       = optional(bool, false)
      link_previews_allow = optional(list(string), [])
    }))
    operator = optional(object({
      origins        = optional(list(string), ["http://localhost:8090"])
      oidc_client_id = optional(string, "")
      administrators = optional(any, [])
    }))
    attachments     = optional(object({ store = string, s3_url = string, s3_region = optional(string, "us-east-1") }))
    search_language = optional(string, "simple")
    environment     = optional(map(map(string)), {})
  })

  validation {
    condition     = try(var.settings.attachments.store, "s3") == "s3"
    error_message = "settings.attachments: two regions share no volume; expected store = \"s3\" and a bucket that both reach."
  }
}

variable "regions" {
  description = "The regions `first` and `second`, with the providers of the same names. Which of them serves is decided by the term of the witness, not here."
  type = map(object({
    name         = string
    kubeconfig   = string
    context      = optional(string, "")
    namespace    = optional(string, "chat")
    keys_folder  = optional(string, "")
    secret_names = optional(map(string), {})
    nats_url     = string
    postgres_url = string
    witness_key  = string
    service = optional(object({
      type        = optional(string, "ClusterIP")
      port        = optional(number, 80)
      annotations = optional(map(string), {})
    }), {})
  }))

  validation {
    condition     = toset(keys(var.regions)) == toset(["first", "second"])
    error_message = "regions: expected exactly first and second."
  }
  validation {
    condition     = alltrue([for region in values(var.regions) : can(regex("^[a-z][a-z0-9-]{0,31}$", region.name))])
    error_message = "regions: expected a name of a-z, 0-9 and -, at most 32 characters."
  }
  validation {
    condition     = length(distinct(values(var.regions)[*].name)) == 2
    error_message = "regions: two regions have the same name."
  }
  validation {
    condition     = alltrue([for region in values(var.regions) : can(regex("^U[A-Z2-7]{55}$", region.witness_key))])
    error_message = "regions: witness_key is the public nkey of the region agent, which begins with U. Never name its seed."
  }
  validation {
    condition     = length(distinct(values(var.regions)[*].witness_key)) == 2
    error_message = "regions: each region agent needs a key of its own."
  }
  validation {
    condition     = alltrue([for region in values(var.regions) : region.nats_url != "" && region.postgres_url != ""])
    error_message = "regions: nats_url and postgres_url are needed. The NATS of the chart has no leaf connection, and its PostgreSQL has no replica."
  }
}

variable "auto_promote" {
  description = "true: the following region takes over by itself when the serving one has lost its lease."
  type        = bool
  default     = false
}

variable "homes" {
  description = "true: both regions serve, each its own half of the rooms. Each keys_folder then also holds peer-postgres-password, a copy of postgres-password of the other region."
  type        = bool
  default     = false

  validation {
    condition     = !var.homes || var.settings.partitions >= 2
    error_message = "homes needs at least 2 partitions, one for each home."
  }
}

variable "witness" {
  description = "The NATS outside both regions. urls: one server, or three as a cluster, as both regions reach them. tls_secret: a Secret with tls.crt and tls.key in its namespace."
  type = object({
    urls          = list(string)
    namespace     = optional(string, "parley-witness")
    image         = optional(string, "nats:2.15.2-alpine")
    tls_secret    = optional(string, "")
    storage_class = optional(string, "")
    service = optional(object({
      type        = optional(string, "LoadBalancer")
      annotations = optional(map(string), {})
    }), {})
  })

  validation {
    condition     = contains([1, 3], length(distinct(var.witness.urls))) && length(distinct(var.witness.urls)) == length(var.witness.urls)
    error_message = "witness.urls: expected the URL of one server, or of three."
  }
  validation {
    condition     = alltrue([for url in var.witness.urls : can(regex("^(nats|tls)://[^/@,\\s]+$", url))])
    error_message = "witness.urls: expected nats://host:4222 or tls://host:4222, without a user."
  }
  validation {
    condition     = alltrue([for url in var.witness.urls : startswith(url, "tls://") == (var.witness.tls_secret != "")])
    error_message = "witness: tls:// URLs need tls_secret, and tls_secret needs tls:// URLs."
  }
}
