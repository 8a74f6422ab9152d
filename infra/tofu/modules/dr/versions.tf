# One provider for each of the three clusters.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    kubectl = {
      source                = "gavinbunney/kubectl"
      version               = ">= 1.19.0, < 2.0.0"
      configuration_aliases = [kubectl.first, kubectl.second, kubectl.witness]
    }
  }
}
