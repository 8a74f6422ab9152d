# What a plan of two regions contains. The providers are stand-ins, so no cluster is needed.

mock_provider "kubectl" {
  alias = "first"
}
mock_provider "kubectl" {
  alias = "second"
}
mock_provider "kubectl" {
  alias = "witness"
}

run "two_regions_and_their_witness" {
  command = plan

  assert {
    condition     = output.values.east.partitions == 32 && output.values.west.partitions == 32
    error_message = "Both regions have the same partitions."
  }
  assert {
    condition     = output.values.east.image == output.values.west.image && output.values.east.jwks == output.values.west.jwks
    error_message = "Both regions have the same image and issuer."
  }
  assert {
    condition     = output.values.east.postgres.url == "postgres://db.east.example:5432/chat" && output.values.west.postgres.url == "postgres://db.west.example:5432/chat"
    error_message = "Each region has its own PostgreSQL."
  }
  assert {
    condition     = output.values.east.region.name == "east" && output.values.east.region.peer == "west"
    error_message = "The first region knows the second."
  }
  assert {
    condition     = output.values.west.region.name == "west" && output.values.west.region.peer == "east"
    error_message = "The second region knows the first."
  }
  assert {
    condition     = output.values.east.region.witness == "nats://witness.example:4222"
    error_message = "Both regions know the witness."
  }
  assert {
    condition     = !output.values.east.region.autoPromote && !output.values.west.region.autoPromote
    error_message = "By default, an operator promotes."
  }
  assert {
    condition     = length(regexall("nkey: U", output.witness_config)) == 2
    error_message = "The witness has one user for each region agent."
  }
  assert {
    condition     = !strcontains(output.witness_config, "tls {") && !strcontains(output.witness_config, "cluster {")
    error_message = "One server without a certificate has neither TLS nor routes."
  }
  assert {
    condition     = yamldecode(kubectl_manifest.witness.yaml_body).spec.replicas == 1
    error_message = "One URL is one server."
  }
  assert {
    condition     = kubectl_manifest.witness_namespace.apply_only
    error_message = "Destroy leaves the term of the witness."
  }
}

run "both_regions_serve" {
  command = plan

  variables {
    homes    = true
    settings = merge(var.settings, { webhooks = {}, operator = {}, oidc = { client_id = "web" }, attachments = { store = "s3", s3_url = "https://s3.example/chat" } })
  }

  assert {
    condition     = output.values.east.region.homes && output.values.east.region.peerPostgres == "postgres://db.west.example:5432/chat" && output.values.west.region.peerPostgres == "postgres://db.east.example:5432/chat"
    error_message = "Each agent knows the PostgreSQL of the other region."
  }
  assert {
    condition     = output.values.east.webhooks.enabled && !output.values.west.webhooks.enabled
    error_message = "One region sends the webhooks."
  }
  assert {
    condition     = output.values.east.operator.enabled && output.values.west.operator.enabled
    error_message = "Each region has an admin page."
  }
  assert {
    condition     = output.values.east.oidc.clientId == "web" && output.values.west.oidc == output.values.east.oidc
    error_message = "The web clients of both regions sign users in at the issuer."
  }
  assert {
    condition     = output.values.east.attachments.s3.url == "https://s3.example/chat" && output.values.west.attachments == output.values.east.attachments
    error_message = "Both regions use one bucket."
  }
}

run "three_witnesses_with_tls" {
  command = plan

  variables {
    witness = {
      urls       = ["tls://a.example:4222", "tls://b.example:4222", "tls://c.example:4222"]
      tls_secret = "witness-tls"
    }
  }

  assert {
    condition     = yamldecode(kubectl_manifest.witness.yaml_body).spec.replicas == 3 && length(kubectl_manifest.witness_server) == 3
    error_message = "Three URLs are three servers, each with an address."
  }
  assert {
    condition     = strcontains(output.witness_config, "cert_file: \"/tls/tls.crt\"") && strcontains(output.witness_config, "nats://witness-2.witness:6222")
    error_message = "The servers use the certificate, and form a cluster."
  }
  assert {
    condition     = output.values.east.region.witness == "tls://a.example:4222,tls://b.example:4222,tls://c.example:4222"
    error_message = "An agent gets all addresses of the witness."
  }
}
