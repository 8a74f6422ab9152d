# What another module or an operator needs of a cluster.

output "namespace" {
  description = "Namespace of the release."
  value       = var.namespace
}

output "service" {
  description = "Name of the gateways' Service inside the cluster."
  value       = "${var.release}-gateway.${var.namespace}.svc"
  depends_on  = [kubectl_manifest.deployment]
}

output "service_port" {
  description = "Port of the gateways' Service."
  value       = var.service.port
}

output "image" {
  description = "Image of the services, with its tag."
  value       = local.image
}

output "values" {
  description = "The values that Helm gets. They hold no secret."
  value       = local.values
}
