# Wrong inputs: each is refused by a plan, before anything changes.

mock_provider "kubectl" {}

variables {
  kubeconfig  = "/tmp/kubeconfig"
  namespace   = "chat"
  image       = { repository = "registry.example/parley" }
  auth        = "dev"
  origins     = ["http://localhost:8080"]
  keys_folder = "/tmp/keys"
}

run "kubeconfig_empty" {
  command = plan

  variables {
    kubeconfig = ""
  }

  expect_failures = [var.kubeconfig]
}

run "namespace_name" {
  command = plan

  variables {
    namespace = "Chat_1"
  }

  expect_failures = [var.namespace]
}

run "namespace_shared" {
  command = plan

  variables {
    namespace = "default"
  }

  expect_failures = [var.namespace]
}

run "release_name" {
  command = plan

  variables {
    release = "Parley"
  }

  expect_failures = [var.release]
}

run "image_empty" {
  command = plan

  variables {
    image = { repository = "" }
  }

  expect_failures = [var.image]
}

run "image_latest" {
  command = plan

  variables {
    image = { repository = "registry.example/parley", tag = "latest" }
  }

  expect_failures = [var.image]
}

run "auth_unknown" {
  command = plan

  variables {
    auth = "none"
  }

  expect_failures = [var.auth]
}

run "jwks_missing" {
  command = plan

  variables {
    auth = "jwks"
  }

  expect_failures = [var.jwks]
}

run "jwks_plain_http" {
  command = plan

  variables {
    jwks = { url = "http://issuer.example/keys", issuer = "https://issuer.example", audience = "chat" }
  }

  expect_failures = [var.jwks]
}

run "origins_empty" {
  command = plan

  variables {
    origins = []
  }

  expect_failures = [var.origins]
}

run "origins_with_a_path" {
  command = plan

  variables {
    origins = ["https://chat.example/app"]
  }

  expect_failures = [var.origins]
}

run "replicas_zero" {
  command = plan

  variables {
    replicas = { gateway = 0 }
  }

  expect_failures = [var.replicas]
}

run "replicas_fraction" {
  command = plan

  variables {
    replicas = { room = 1.5 }
  }

  expect_failures = [var.replicas]
}

run "autoscaling_reversed" {
  command = plan

  variables {
    autoscaling = { room = { min = 5, max = 2 } }
  }

  expect_failures = [var.autoscaling]
}

run "partitions_too_many" {
  command = plan

  variables {
    partitions = 2000
  }

  expect_failures = [var.partitions]
}

run "nats_with_a_user" {
  command = plan

  variables {
    nats = { url = "nats://user:password@nats.example:4222" }
  }

  expect_failures = [var.nats]
}

run "nats_size" {
  command = plan

  variables {
    nats = { claim_size = "8GB" }
  }

  expect_failures = [var.nats]
}

run "postgres_with_a_password" {
  command = plan

  variables {
    postgres = { url = "postgres://parley:secret@db.example:5432/chat" }
  }

  expect_failures = [var.postgres]
}

run "postgres_size" {
  command = plan

  variables {
    postgres = { claim_size = "lots" }
  }

  expect_failures = [var.postgres]
}

run "postgres_one_role" {
  command = plan

  variables {
    postgres = { owner = "parley", serving = "parley" }
  }

  expect_failures = [var.postgres]
}

run "service_type" {
  command = plan

  variables {
    service = { type = "ExternalName" }
  }

  expect_failures = [var.service]
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

run "timeout_without_a_unit" {
  command = plan

  variables {
    timeout = "10"
  }

  expect_failures = [var.timeout]
}

run "resources_of_an_unknown_component" {
  command = plan

  variables {
    resources = { search = { requests = { cpu = "1" } } }
  }

  expect_failures = [var.resources]
}

run "region_without_own_servers" {
  command = plan

  variables {
    region = { name = "east", peer = "west", witness = "nats://witness.example:4222" }
  }

  expect_failures = [var.region]
}
