# What a plan of the module contains. The provider is a stand-in, so no cluster is needed.

mock_provider "kubectl" {}

variables {
  kubeconfig  = "/tmp/kubeconfig"
  namespace   = "chat"
  image       = { repository = "registry.example/parley", tag = "1.2.3" }
  auth        = "jwks"
  jwks        = { url = "https://issuer.example/keys", issuer = "https://issuer.example", audience = "chat" }
  origins     = ["https://chat.example"]
  keys_folder = "/tmp/keys"
}

run "namespace_and_quota" {
  command = plan

  assert {
    condition     = yamldecode(kubectl_manifest.namespace.yaml_body).metadata.name == "chat"
    error_message = "The namespace has the name of the input."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.namespace.yaml_body).metadata.labels["pod-security.kubernetes.io/enforce"] == "restricted"
    error_message = "The namespace refuses pods with more rights than the chart needs."
  }
  assert {
    condition     = kubectl_manifest.namespace.apply_only
    error_message = "By default, destroy leaves the namespace with its claims."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.quota[0].yaml_body).spec.hard == { pods = "60", persistentvolumeclaims = "5" }
    error_message = "The quota has the limits of the input."
  }
}

run "values_of_the_inputs" {
  command = plan

  variables {
    replicas        = { gateway = 3 }
    trusted_proxies = ["10.0.0.0/8"]
    nats            = { url = "tls://nats.example:4222" }
    postgres        = { url = "postgres://db.example:5432/chat?sslmode=verify-full" }
    monitoring      = { release = "prometheus" }
  }

  assert {
    condition     = output.values.auth == "jwks" && output.values.jwks.audience == "chat"
    error_message = "The chart gets the choice of authentication."
  }
  assert {
    condition     = output.values.gateway.replicas == 3 && output.values.room.replicas == 2
    error_message = "The chart gets the pods of each service."
  }
  assert {
    condition     = output.values.gateway.origins == tolist(["https://chat.example"]) && output.values.gateway.trustedProxies == tolist(["10.0.0.0/8"])
    error_message = "The chart gets origins and proxies."
  }
  assert {
    condition     = output.values.nats.url == "tls://nats.example:4222" && startswith(output.values.postgres.url, "postgres://db.example")
    error_message = "The chart gets the URLs of own servers."
  }
  assert {
    condition     = output.values.monitoring == { enabled = true, labels = tomap({ release = "prometheus" }) }
    error_message = "Labels switch monitoring on."
  }
  assert {
    condition     = output.values.gateway.preStopSeconds == 5 && output.values.room.memoryMebibytes == 256
    error_message = "The release gets the defaults of the chart for all other values."
  }
  assert {
    condition     = output.image == "registry.example/parley:1.2.3" && output.service == "parley-gateway.chat.svc"
    error_message = "The outputs name image and Service."
  }
}

run "deployments_that_a_plan_compares" {
  command = plan

  variables {
    replicas    = { room = 4 }
    autoscaling = { gateway = { min = 2, max = 9 } }
  }

  assert {
    condition     = toset(keys(kubectl_manifest.deployment)) == toset(["gateway", "room", "persistence"])
    error_message = "A plan compares each deployment."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.deployment["room"].yaml_body).spec.replicas == 4
    error_message = "A plan compares the number of pods."
  }
  assert {
    condition     = !can(yamldecode(kubectl_manifest.deployment["gateway"].yaml_body).spec.replicas) && output.values.gateway.autoscaling.enabled
    error_message = "The autoscaler alone decides the number of pods of its service."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.deployment["gateway"].yaml_body).spec.template.spec.containers[0] == { name = "gateway", image = "registry.example/parley:1.2.3" }
    error_message = "A plan compares the image."
  }
  assert {
    condition     = alltrue([for one in values(kubectl_manifest.deployment) : one.apply_only && one.server_side_apply])
    error_message = "The release owns the deployments: OpenTofu never deletes them."
  }
}

run "webhooks_and_other_variables" {
  command = plan

  variables {
    webhooks        = { allow = ["10.0.0.0/8"] }
    replicas        = { webhooks = 3 }
    search_language = "german"
    environment     = { persistence = { LOG_KEEP_HOURS = "720" } }
  }

  assert {
    condition     = output.values.webhooks.enabled && output.values.webhooks.replicas == 3 && output.values.webhooks.allow == tolist(["10.0.0.0/8"]) && !output.values.webhooks.http
    error_message = "The input switches webhooks on."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.deployment["webhooks"].yaml_body).spec.replicas == 3
    error_message = "A plan compares the deployment of webhooks."
  }
  assert {
    condition     = output.values.persistence.searchLanguage == "german" && output.values.environment.persistence == tomap({ LOG_KEEP_HOURS = "720" })
    error_message = "The chart gets the language of the search, and other variables."
  }
}

run "attachments_in_a_bucket" {
  command = plan

  variables {
    attachments = { store = "s3", s3_url = "https://s3.example/chat" }
  }

  assert {
    condition     = output.values.attachments == { store = "s3", claim = "", s3 = { url = "https://s3.example/chat", region = "us-east-1" } }
    error_message = "The chart gets the bucket."
  }
}

run "attachments_in_a_volume" {
  command = plan

  variables {
    attachments = { store = "folder", claim = "files" }
  }

  assert {
    condition     = output.values.attachments.store == "folder" && output.values.attachments.claim == "files"
    error_message = "The chart gets the claim."
  }
}

run "the_admin_page" {
  command = plan

  variables {
    operator = {
      origins        = ["https://admin.example"]
      oidc_client_id = "admin-page"
      administrators = [{ namespaceSelector = { matchLabels = { name = "ingress" } } }]
    }
  }

  assert {
    condition     = output.values.operator.enabled && output.values.operator.origins == tolist(["https://admin.example"]) && output.values.operator.oidcClientId == "admin-page"
    error_message = "The input switches the admin page on."
  }
  assert {
    condition     = output.values.networkPolicy.administrators[0].namespaceSelector.matchLabels.name == "ingress" && output.values.networkPolicy.enabled
    error_message = "The chart gets the peers that reach the page."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.deployment["operator"].yaml_body).spec.replicas == 1
    error_message = "A plan compares the deployment of the admin page, which is one pod."
  }
}

run "the_web_client_signs_in_at_the_issuer" {
  command = plan

  variables {
    oidc = { client_id = "web", scope = "openid email", origins = ["https://login.example"] }
  }

  assert {
    condition     = output.values.oidc == { clientId = "web", scope = "openid email", origins = tolist(["https://login.example"]) }
    error_message = "The chart gets the client of the web client."
  }
}

run "only_the_admin_page_signs_in_at_the_issuer" {
  command = plan

  variables {
    oidc     = { origins = ["https://login.example"] }
    operator = { oidc_client_id = "admin-page" }
  }

  assert {
    condition     = output.values.oidc.clientId == "" && output.values.oidc.origins == tolist(["https://login.example"])
    error_message = "The admin page can have the origins of the issuer without a client of the web client."
  }
}

run "no_sign_in_at_the_issuer" {
  command = plan

  assert {
    condition     = output.values.oidc.clientId == "" && output.values.oidc.scope == "" && length(output.values.oidc.origins) == 0
    error_message = "Without the input, the web client does not sign users in at the issuer."
  }
}

run "no_secret_without_a_folder" {
  command = plan

  variables {
    keys_folder = ""
    secret_names = {
      gateway = "a", room = "b", persistence = "c", migrate = "d", admin = "e", nats = "f", postgres = "g"
    }
  }

  assert {
    condition     = length(terraform_data.secrets) == 0 && output.values.secrets.room == "b"
    error_message = "With Secrets of your own, the module writes none."
  }
}

run "one_of_two_regions" {
  command = plan

  variables {
    region   = { name = "east", peer = "west", witness = "nats://witness.example:4222", auto_promote = true }
    nats     = { url = "tls://nats.example:4222" }
    postgres = { url = "postgres://db.example:5432/chat" }
  }

  assert {
    condition     = output.values.region == { name = "east", peer = "west", witness = "nats://witness.example:4222", autoPromote = true, homes = false, peerPostgres = "" }
    error_message = "The chart gets the names of the regions and the witness."
  }
}

run "no_quota" {
  command = plan

  variables {
    quota               = null
    deletion_protection = false
  }

  assert {
    condition     = length(kubectl_manifest.quota) == 0 && !kubectl_manifest.namespace.apply_only
    error_message = "The quota and the protection can be switched off."
  }
}
