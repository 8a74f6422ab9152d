# What an operator of two regions needs.

output "services" {
  description = "The gateways' Service of each region, inside its cluster. Clients get an address of each region."
  value = {
    (var.regions.first.name)  = module.first.service
    (var.regions.second.name) = module.second.service
  }
}

output "witness_config" {
  description = "The configuration of the witness. It holds public keys only."
  value       = local.witness_config
}

output "values" {
  description = "The values that Helm gets in each region. They hold no secret."
  value = {
    (var.regions.first.name)  = module.first.values
    (var.regions.second.name) = module.second.values
  }
}
