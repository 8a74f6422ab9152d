# Two regions of one Parley, and the witness that decides which of them serves.
#
# OpenTofu describes what both regions are. It does not know which region serves: a promotion changes
# nothing here, so no plan undoes one.

locals {
  others = { first = "second", second = "first" }
  peers  = { first = var.regions.second.name, second = var.regions.first.name }
  # Where both regions serve, each archives all rooms, so one of them sends the webhooks.
  webhooks = { first = var.settings.webhooks, second = var.homes ? null : var.settings.webhooks }
  # What a region's cluster gets beside its own inputs.
  region = {
    for key, region in var.regions : key => {
      name         = region.name
      peer         = local.peers[key]
      witness      = join(",", var.witness.urls)
      auto_promote = var.auto_promote
      homes        = var.homes

      peer_postgres = var.homes ? var.regions[local.others[key]].postgres_url : ""
    }
  }
}

# The instances of one module cannot have different providers, so there are two blocks. A test keeps
# them equal but for the name of the region.
module "first" {
  source    = "../cluster"
  providers = { kubectl = kubectl.first }

  kubeconfig      = var.regions.first.kubeconfig
  context         = var.regions.first.context
  namespace       = var.regions.first.namespace
  keys_folder     = var.regions.first.keys_folder
  secret_names    = var.regions.first.secret_names
  service         = var.regions.first.service
  nats            = { url = var.regions.first.nats_url }
  postgres        = { url = var.regions.first.postgres_url }
  region          = local.region.first
  image           = var.settings.image
  auth            = var.settings.auth
  jwks            = var.settings.jwks
  oidc            = var.settings.oidc
  origins         = var.settings.origins
  trusted_proxies = var.settings.trusted_proxies
  partitions      = var.settings.partitions
  replicas        = var.settings.replicas
  webhooks        = local.webhooks.first
  operator        = var.settings.operator
  attachments     = var.settings.attachments
  search_language = var.settings.search_language
  environment     = var.settings.environment

  depends_on = [kubectl_manifest.witness]
}

module "second" {
  source    = "../cluster"
  providers = { kubectl = kubectl.second }

  kubeconfig      = var.regions.second.kubeconfig
  context         = var.regions.second.context
  namespace       = var.regions.second.namespace
  keys_folder     = var.regions.second.keys_folder
  secret_names    = var.regions.second.secret_names
  service         = var.regions.second.service
  nats            = { url = var.regions.second.nats_url }
  postgres        = { url = var.regions.second.postgres_url }
  region          = local.region.second
  image           = var.settings.image
  auth            = var.settings.auth
  jwks            = var.settings.jwks
  oidc            = var.settings.oidc
  origins         = var.settings.origins
  trusted_proxies = var.settings.trusted_proxies
  partitions      = var.settings.partitions
  replicas        = var.settings.replicas
  webhooks        = local.webhooks.second
  operator        = var.settings.operator
  attachments     = var.settings.attachments
  search_language = var.settings.search_language
  environment     = var.settings.environment

  depends_on = [kubectl_manifest.witness]
}
