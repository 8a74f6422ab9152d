# OpenTofu comes with terraform_data; the one provider comes from the registry.

terraform {
  required_version = ">= 1.12.0"

  required_providers {
    kubectl = {
      source  = "gavinbunney/kubectl"
      version = ">= 1.19.0, < 2.0.0"
    }
  }
}
