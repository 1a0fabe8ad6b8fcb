# One Airbyte connection for each part of the companies, with the provider that Airbyte publishes.
# Each has a namespace of its own in the destination: codat_1_of_8, codat_2_of_8 and so on.

terraform {
  required_version = ">= 1.5"
  required_providers {
    airbyte = {
      source  = "airbytehq/airbyte"
      version = "~> 1.3"
    }
  }
}

variable "airbyte_url" {
  description = "The public API of your Airbyte: https://airbyte.example.com/api/public/v1"
  type        = string
}

variable "airbyte_client_id" {
  description = "From Settings > Applications in Airbyte."
  type        = string
  sensitive   = true
}

variable "airbyte_client_secret" {
  type      = string
  sensitive = true
}

variable "workspace_id" {
  type = string
}

variable "destination_id" {
  description = "A destination that is already set up."
  type        = string
}

variable "image_tag" {
  description = "The tag of airbyte/source-codat in a registry that Airbyte can pull from."
  type        = string
  default     = "0.1.0"
}

variable "codat_api_key" {
  type      = string
  sensitive = true
}

variable "parts" {
  description = "Into how many parts the companies are divided."
  type        = number
  default     = 8
}

variable "requests_per_minute" {
  description = "Of each connection: 900 divided by how many of them run at once behind one IP address."
  type        = number
  default     = 450
}

variable "cron" {
  description = "When the connections sync, for instance \"0 0 5 * * ?\". Empty where something else starts them."
  type        = string
  default     = ""
}

variable "streams" {
  description = "The streams, each with its sync mode."
  type        = map(string)
  default = {
    companies    = "full_refresh_overwrite"
    customers    = "incremental_deduped_history"
    invoices     = "incremental_deduped_history"
    credit_notes = "incremental_deduped_history"
  }
}

locals {
  parts = { for number in range(1, var.parts + 1) : "${number}_of_${var.parts}" => "${number}/${var.parts}" }
}

provider "airbyte" {
  server_url    = var.airbyte_url
  client_id     = var.airbyte_client_id
  client_secret = var.airbyte_client_secret
  token_url     = "${var.airbyte_url}/applications/token"
}

resource "airbyte_source_definition" "codat" {
  name              = "Codat"
  docker_repository = "airbyte/source-codat"
  docker_image_tag  = var.image_tag
  workspace_id      = var.workspace_id
}

resource "airbyte_source" "codat" {
  for_each = local.parts

  name          = "Codat ${each.value}"
  workspace_id  = var.workspace_id
  definition_id = airbyte_source_definition.codat.id
  configuration = jsonencode({
    api_key             = var.codat_api_key
    part                = each.value
    requests_per_minute = var.requests_per_minute
  })
}

resource "airbyte_connection" "codat" {
  for_each = local.parts

  name                                 = "Codat ${each.value}"
  source_id                            = airbyte_source.codat[each.key].source_id
  destination_id                       = var.destination_id
  namespace_definition                 = "custom_format"
  namespace_format                     = "codat_${each.key}"
  non_breaking_schema_updates_behavior = "propagate_columns"
  status                               = "active"

  schedule = {
    schedule_type   = var.cron == "" ? "manual" : "cron"
    cron_expression = var.cron == "" ? null : var.cron
  }

  configurations = {
    streams = [for name, mode in var.streams : { name = name, sync_mode = mode }]
  }
}

output "connection_ids" {
  description = "The connection of each part: what airflow_dag.py starts."
  value       = { for key, connection in airbyte_connection.codat : key => connection.connection_id }
}
