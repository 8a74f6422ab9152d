# Wrong inputs: each is refused by a plan, before anything changes.
#
# A run has one wrong value for each input that it expects to fail. An input that is compared with
# another one has a run without a wrong value of that one: otherwise it would not be checked.

mock_provider "kubectl" {}

variables {
  kubeconfig  = "/tmp/kubeconfig"
  namespace   = "chat"
  image       = { repository = "registry.example/parley" }
  auth        = "dev"
  origins     = ["http://localhost:8080"]
  keys_folder = "/tmp/keys"
}

run "first_wrong_value_of_each_input" {
  command = plan

  variables {
    kubeconfig  = ""
    namespace   = "Chat_1"
    release     = "Parley"
    image       = { repository = "" }
    auth        = "none"
    origins     = []
    replicas    = { gateway = 0 }
    autoscaling = { room = { min = 5, max = 2 } }
    partitions  = 2000
    nats        = { url = "nats://user:password@nats.example:4222" }
    postgres    = { url = "postgres://parley:secret@db.example:5432/chat" }
    resources   = { search = { requests = { cpu = "1" } } }
    service     = { type = "ExternalName" }
    timeout     = "10" # Without a unit.
    webhooks    = { allow = ["10.0.0.1"], link_previews_allow = ["10.0.0.1"] }
    attachments = { store = "folder" } # Without a claim.
    environment = { search = { LANGUAGE = "german" } }

    search_language = "de-DE"
  }

  expect_failures = [
    var.kubeconfig,
    var.namespace,
    var.release,
    var.image,
    var.auth,
    var.origins,
    var.replicas,
    var.autoscaling,
    var.partitions,
    var.nats,
    var.postgres,
    var.resources,
    var.service,
    var.timeout,
    var.webhooks,
    var.attachments,
    var.environment,
    var.search_language,
  ]
}

run "second_wrong_value" {
  command = plan

  variables {
    namespace   = "default" # Shared with others.
    image       = { repository = "registry.example/parley", tag = "latest" }
    jwks        = { url = "http://issuer.example/keys", issuer = "https://issuer.example", audience = "chat" }
    origins     = ["https://chat.example/app"]
    attachments = { store = "s3", s3_url = "https://key:secret@s3.example/chat" }
    replicas    = { room = 1.5 }
    nats        = { claim_size = "8GB" }
    operator    = { oidc_client_id = "admin-page" } # With auth = "dev".
    postgres    = { claim_size = "lots" }
  }

  expect_failures = [var.namespace, var.image, var.jwks, var.origins, var.attachments, var.replicas, var.nats, var.operator, var.postgres]
}

run "jwks_missing_and_one_role_of_postgres" {
  command = plan

  variables {
    auth     = "jwks"
    postgres = { owner = "parley", serving = "parley" }
    operator = { origins = ["https://admin.example/page"] }
  }

  expect_failures = [var.jwks, var.operator, var.postgres]
}

run "oidc_with_dev" {
  command = plan

  variables {
    oidc = { client_id = "web" }
  }

  expect_failures = [var.oidc]
}

run "oidc_without_a_client" {
  command = plan

  variables {
    auth = "jwks"
    jwks = { url = "https://issuer.example/keys", issuer = "https://issuer.example", audience = "chat" }
    oidc = { scope = "openid" }
  }

  expect_failures = [var.oidc]
}

run "oidc_with_an_address_instead_of_an_origin" {
  command = plan

  variables {
    auth = "jwks"
    jwks = { url = "https://issuer.example/keys", issuer = "https://issuer.example", audience = "chat" }
    oidc = { client_id = "web", origins = ["https://login.example/authorize"] }
  }

  expect_failures = [var.oidc]
}

run "secrets_twice" {
  command = plan

  variables {
    secret_names = { gateway = "a", room = "b", persistence = "c", migrate = "d", admin = "e", nats = "f", postgres = "g" }
  }

  expect_failures = [var.keys_folder]
}

run "secrets_nowhere" {
  command = plan

  variables {
    keys_folder = ""
  }

  expect_failures = [var.keys_folder]
}

run "secrets_unknown_service" {
  command = plan

  variables {
    keys_folder  = ""
    secret_names = { gateway = "a", room = "b", persistence = "c", migrate = "d", admin = "e", nats = "f", postgres = "g", search = "h" }
  }

  expect_failures = [var.secret_names]
}

run "secrets_incomplete" {
  command = plan

  variables {
    keys_folder  = ""
    secret_names = { gateway = "a" }
  }

  expect_failures = [var.secret_names]
}

run "region_without_own_servers" {
  command = plan

  variables {
    region = { name = "east", peer = "west", witness = "nats://witness.example:4222" }
  }

  expect_failures = [var.region]
}
