# Wrong inputs: each is refused by a plan, before anything changes. A run has one wrong value for each
# input that it expects to fail.

mock_provider "kubectl" {
  alias = "first"
}
mock_provider "kubectl" {
  alias = "second"
}
mock_provider "kubectl" {
  alias = "witness"
}

run "regions_with_other_keys_and_two_witnesses" {
  command = plan

  variables {
    regions  = { first = var.regions.first, third = var.regions.second }
    witness  = { urls = ["nats://a.example:4222", "nats://b.example:4222"] }
    settings = merge(var.settings, { partitions = 1 })
    homes    = true
  }

  expect_failures = [var.regions, var.witness, var.homes]
}

run "region_name_and_a_witness_with_a_user" {
  command = plan

  variables {
    regions = merge(var.regions, { first = merge(var.regions.first, { name = "East" }) })
    witness = { urls = ["nats://user@a.example:4222"] }
  }

  expect_failures = [var.regions, var.witness]
}

run "regions_of_one_name_and_tls_without_a_certificate" {
  command = plan

  variables {
    regions = merge(var.regions, { first = merge(var.regions.first, { name = "west" }) })
    witness = { urls = ["tls://a.example:4222"] }
  }

  expect_failures = [var.regions, var.witness]
}

run "a_seed_as_key" {
  command = plan

  variables {
    regions = merge(var.regions, { first = merge(var.regions.first, { witness_key = "SUAEASTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }) })
  }

  expect_failures = [var.regions]
}

run "one_key_for_both" {
  command = plan

  variables {
    regions = merge(var.regions, { first = merge(var.regions.first, { witness_key = var.regions.second.witness_key }) })
  }

  expect_failures = [var.regions]
}

run "no_own_nats_and_a_volume_for_two_regions" {
  command = plan

  variables {
    regions  = merge(var.regions, { first = merge(var.regions.first, { nats_url = "" }) })
    settings = merge(var.settings, { attachments = { store = "folder", s3_url = "" } })
  }

  expect_failures = [var.regions, var.settings]
}
