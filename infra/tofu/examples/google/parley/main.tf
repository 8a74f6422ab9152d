# Parley on the cluster of ../platform: the module of this repository, and the Ingress of Google with
# a managed certificate in front of the gateways.

terraform {
  required_version = ">= 1.12.0"

  required_providers {
    kubectl = {
      source  = "gavinbunney/kubectl"
      version = ">= 1.19.0, < 2.0.0"
    }
  }
}

variable "kubeconfig" {
  description = "File that gcloud container clusters get-credentials wrote."
  type        = string
}

variable "image" {
  description = "Image of the services."
  type        = object({ repository = string, tag = string })
}

variable "hostname" {
  description = "Name under which clients reach Parley, as chat.example."
  type        = string
}

variable "jwks" {
  description = "The issuer of tokens."
  type        = object({ url = string, issuer = string, audience = string })
}

variable "postgres_url" {
  description = "Output postgres_url of ../platform."
  type        = string
}

variable "address_name" {
  description = "Output address_name of ../platform."
  type        = string
}

variable "keys_folder" {
  description = "Folder of infra/helm/secrets.ts."
  type        = string
}

provider "kubectl" {
  config_path = var.kubeconfig
}

locals {
  namespace = "chat"
  # The load balancer closes a WebSocket after this time; clients then resume.
  socket_seconds = 86400
}

module "cluster" {
  source = "../../../modules/cluster"

  kubeconfig  = var.kubeconfig
  namespace   = local.namespace
  image       = var.image
  auth        = "jwks"
  jwks        = var.jwks
  origins     = ["https://${var.hostname}"]
  keys_folder = var.keys_folder
  replicas    = { gateway = 3, room = 3 }
  postgres    = { url = var.postgres_url }

  # The proxies of Google's load balancers.
  trusted_proxies = ["130.211.0.0/22", "35.191.0.0/16"]
  service = {
    annotations = {
      "cloud.google.com/neg"            = jsonencode({ ingress = true })
      "cloud.google.com/backend-config" = jsonencode({ default = "parley-gateway" })
    }
  }
}

resource "kubectl_manifest" "backend" {
  yaml_body = yamlencode({
    apiVersion = "cloud.google.com/v1"
    kind       = "BackendConfig"
    metadata   = { name = "parley-gateway", namespace = module.cluster.namespace }
    spec = {
      timeoutSec         = local.socket_seconds
      connectionDraining = { drainingTimeoutSec = 60 }
      healthCheck        = { type = "HTTP", requestPath = "/readyz", port = 8080 }
    }
  })
}

resource "kubectl_manifest" "certificate" {
  yaml_body = yamlencode({
    apiVersion = "networking.gke.io/v1"
    kind       = "ManagedCertificate"
    metadata   = { name = "parley", namespace = module.cluster.namespace }
    spec       = { domains = [var.hostname] }
  })
}

resource "kubectl_manifest" "ingress" {
  yaml_body = yamlencode({
    apiVersion = "networking.k8s.io/v1"
    kind       = "Ingress"
    metadata = {
      name      = "parley"
      namespace = module.cluster.namespace
      annotations = {
        "kubernetes.io/ingress.global-static-ip-name" = var.address_name
        "networking.gke.io/managed-certificates"      = "parley"
        "kubernetes.io/ingress.allow-http"            = "false"
      }
    }
    spec = {
      defaultBackend = { service = { name = "parley-gateway", port = { number = module.cluster.service_port } } }
    }
  })
  depends_on = [kubectl_manifest.backend, kubectl_manifest.certificate]
}

output "url" {
  description = "The WebSocket of Parley."
  value       = "wss://${var.hostname}/v1/ws"
}
