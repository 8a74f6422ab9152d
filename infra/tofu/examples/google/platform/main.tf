# The cloud under Parley on Google Cloud: network, managed Kubernetes over three zones, managed
# PostgreSQL with a standby in another zone, an address and its DNS record.
#
# Parley itself is another root module (../parley), because its provider needs the cluster to exist.

terraform {
  # With write-only arguments the password of the database is in no state file.
  required_version = ">= 1.12.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

variable "project" {
  description = "Project of Google Cloud."
  type        = string
}

variable "region" {
  description = "Region of the cluster and the database, as europe-west4."
  type        = string
}

variable "name" {
  description = "Name of network, cluster and database."
  type        = string
  default     = "parley"
}

variable "hostname" {
  description = "Name under which clients reach Parley, as chat.example."
  type        = string
}

variable "dns_zone" {
  description = "Name of the managed zone (Cloud DNS) that holds the hostname."
  type        = string
}

variable "keys_folder" {
  description = "Folder of infra/helm/secrets.ts. Run it once before: the database gets its file postgres-password."
  type        = string
}

variable "password_version" {
  description = "Increase it after the file postgres-password has changed."
  type        = number
  default     = 1
}

provider "google" {
  project = var.project
  region  = var.region
}

resource "google_compute_network" "parley" {
  name                    = var.name
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "parley" {
  name                     = var.name
  network                  = google_compute_network.parley.id
  ip_cidr_range            = "10.20.0.0/20"
  private_ip_google_access = true
}

# Autopilot has nodes in three zones, enforces network policies, and adds nodes for pods.
resource "google_container_cluster" "parley" {
  name                = var.name
  location            = var.region
  network             = google_compute_network.parley.id
  subnetwork          = google_compute_subnetwork.parley.id
  enable_autopilot    = true
  deletion_protection = true

  ip_allocation_policy {}

  release_channel {
    channel = "REGULAR"
  }
}

# The database has only an address inside the network.
resource "google_compute_global_address" "services" {
  name          = "${var.name}-services"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
  network       = google_compute_network.parley.id
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.parley.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
}

resource "google_sql_database_instance" "parley" {
  name                = var.name
  database_version    = "POSTGRES_17"
  deletion_protection = true
  depends_on          = [google_service_networking_connection.services]

  settings {
    edition           = "ENTERPRISE"
    tier              = "db-custom-2-7680"
    availability_type = "REGIONAL"
    disk_type         = "PD_SSD"
    disk_autoresize   = true

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.parley.id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
    }
  }
}

resource "google_sql_database" "parley" {
  name     = "parley"
  instance = google_sql_database_instance.parley.name
}

# The owner of the schema. Its password is write-only: neither plan nor state holds it.
resource "google_sql_user" "owner" {
  name                = "parley"
  instance            = google_sql_database_instance.parley.name
  password_wo         = trimspace(file("${var.keys_folder}/postgres-password"))
  password_wo_version = var.password_version
  deletion_policy     = "ABANDON"
}

resource "google_compute_global_address" "gateway" {
  name = "${var.name}-gateway"
}

resource "google_dns_record_set" "gateway" {
  name         = "${var.hostname}."
  type         = "A"
  ttl          = 60
  managed_zone = var.dns_zone
  rrdatas      = [google_compute_global_address.gateway.address]
}

output "cluster" {
  description = "Name of the cluster, for gcloud container clusters get-credentials."
  value       = google_container_cluster.parley.name
}

output "postgres_url" {
  description = "URL of the database, for the module of Parley."
  value       = "postgres://${google_sql_database_instance.parley.private_ip_address}:5432/parley?sslmode=no-verify"
}

output "address_name" {
  description = "Name of the address, for the Ingress."
  value       = google_compute_global_address.gateway.name
}
