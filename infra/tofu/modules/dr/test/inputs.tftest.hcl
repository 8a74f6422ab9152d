# Wrong inputs: each is refused by a plan, before anything changes.

mock_provider "kubectl" {
  alias = "first"
}
mock_provider "kubectl" {
  alias = "second"
}
mock_provider "kubectl" {
  alias = "witness"
}

variables {
  settings = {
    image      = { repository = "registry.example/parley", tag = "1.2.3" }
    auth       = "jwks"
    jwks       = { url = "https://issuer.example/keys", issuer = "https://issuer.example", audience = "chat" }
    origins    = ["https://chat.example"]
    partitions = 32
  }
  regions = {
    first = {
      name         = "east"
      kubeconfig   = "/tmp/east"
      keys_folder  = "/tmp/keys-east"
      nats_url     = "tls://nats.east.example:4222"
      postgres_url = "postgres://db.east.example:5432/chat"
      witness_key  = "UEASTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    }
    second = {
      name         = "west"
      kubeconfig   = "/tmp/west"
      keys_folder  = "/tmp/keys-west"
      nats_url     = "tls://nats.west.example:4222"
      postgres_url = "postgres://db.west.example:5432/chat"
      witness_key  = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    }
  }
  witness = { urls = ["nats://witness.example:4222"] }
}

run "regions_with_other_keys" {
  command = plan

  variables {
    regions = {
      first = { name = "east", kubeconfig = "/tmp/east", keys_folder = "/tmp/keys-east", nats_url = "nats://nats.east.example:4222", postgres_url = "postgres://db.east.example:5432/chat", witness_key = "UEASTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
      third = { name = "west", kubeconfig = "/tmp/west", keys_folder = "/tmp/keys-west", nats_url = "nats://nats.west.example:4222", postgres_url = "postgres://db.west.example:5432/chat", witness_key = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
    }
  }

  expect_failures = [var.regions]
}

run "region_name" {
  command = plan

  variables {
    regions = {
      first  = { name = "East", kubeconfig = "/tmp/east", keys_folder = "/tmp/keys-east", nats_url = "nats://nats.east.example:4222", postgres_url = "postgres://db.east.example:5432/chat", witness_key = "UEASTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
      second = { name = "west", kubeconfig = "/tmp/west", keys_folder = "/tmp/keys-west", nats_url = "nats://nats.west.example:4222", postgres_url = "postgres://db.west.example:5432/chat", witness_key = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
    }
  }

  expect_failures = [var.regions]
}

run "regions_of_one_name" {
  command = plan

  variables {
    regions = {
      first  = { name = "west", kubeconfig = "/tmp/east", keys_folder = "/tmp/keys-east", nats_url = "nats://nats.east.example:4222", postgres_url = "postgres://db.east.example:5432/chat", witness_key = "UEASTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
      second = { name = "west", kubeconfig = "/tmp/west", keys_folder = "/tmp/keys-west", nats_url = "nats://nats.west.example:4222", postgres_url = "postgres://db.west.example:5432/chat", witness_key = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
    }
  }

  expect_failures = [var.regions]
}

run "a_seed_as_key" {
  command = plan

  variables {
    regions = {
      first  = { name = "east", kubeconfig = "/tmp/east", keys_folder = "/tmp/keys-east", nats_url = "nats://nats.east.example:4222", postgres_url = "postgres://db.east.example:5432/chat", witness_key = "SUAEASTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
      second = { name = "west", kubeconfig = "/tmp/west", keys_folder = "/tmp/keys-west", nats_url = "nats://nats.west.example:4222", postgres_url = "postgres://db.west.example:5432/chat", witness_key = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
    }
  }

  expect_failures = [var.regions]
}

run "one_key_for_both" {
  command = plan

  variables {
    regions = {
      first  = { name = "east", kubeconfig = "/tmp/east", keys_folder = "/tmp/keys-east", nats_url = "nats://nats.east.example:4222", postgres_url = "postgres://db.east.example:5432/chat", witness_key = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
      second = { name = "west", kubeconfig = "/tmp/west", keys_folder = "/tmp/keys-west", nats_url = "nats://nats.west.example:4222", postgres_url = "postgres://db.west.example:5432/chat", witness_key = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
    }
  }

  expect_failures = [var.regions]
}

run "no_own_nats" {
  command = plan

  variables {
    regions = {
      first  = { name = "east", kubeconfig = "/tmp/east", keys_folder = "/tmp/keys-east", nats_url = "", postgres_url = "postgres://db.east.example:5432/chat", witness_key = "UEASTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
      second = { name = "west", kubeconfig = "/tmp/west", keys_folder = "/tmp/keys-west", nats_url = "nats://nats.west.example:4222", postgres_url = "postgres://db.west.example:5432/chat", witness_key = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
    }
  }

  expect_failures = [var.regions]
}

run "two_witnesses" {
  command = plan

  variables {
    witness = { urls = ["nats://a.example:4222", "nats://b.example:4222"] }
  }

  expect_failures = [var.witness]
}

run "witness_with_a_user" {
  command = plan

  variables {
    witness = { urls = ["nats://user@a.example:4222"] }
  }

  expect_failures = [var.witness]
}

run "tls_without_a_certificate" {
  command = plan

  variables {
    witness = { urls = ["tls://a.example:4222"] }
  }

  expect_failures = [var.witness]
}
