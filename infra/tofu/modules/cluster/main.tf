# One Parley cluster: namespace, quota, Secrets, Helm release, and the objects by which a plan finds
# changes that were made without OpenTofu.
#
# Order: namespace → quota, Secrets → release → checksum → repair → deployments.
# The state holds no secret: the Secrets are written by a program, and only its folder is stored.

locals {
  # Everything that a command of this module needs; a destroy provisioner can read nothing else.
  target = {
    KUBECONFIG = abspath(pathexpand(var.kubeconfig))
    CONTEXT    = var.context
    NAMESPACE  = var.namespace
    RELEASE    = var.release
    HELM       = var.programs.helm
    KUBECTL    = var.programs.kubectl
  }

  helm_upgrade = join(" ", [
    "printf '%s' \"$VALUES\" |",
    "\"$HELM\" --kube-context \"$CONTEXT\" --namespace \"$NAMESPACE\"",
    "upgrade --install \"$RELEASE\" \"$CHART\" --reset-values --values - --wait --timeout \"$TIMEOUT\"",
  ])
  helm_environment = merge(local.target, {
    CHART   = local.chart
    TIMEOUT = var.timeout
    VALUES  = local.values_json
  })

  labels = { "app.kubernetes.io/part-of" = "parley" }
}

resource "kubectl_manifest" "namespace" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Namespace"
    metadata = {
      name   = var.namespace
      labels = merge(local.labels, { "pod-security.kubernetes.io/enforce" = "restricted" })
    }
  })
  apply_only = var.deletion_protection
  wait       = true
}

resource "kubectl_manifest" "quota" {
  count = var.quota == null ? 0 : 1

  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ResourceQuota"
    metadata   = { name = "${var.release}-quota", namespace = var.namespace, labels = local.labels }
    spec       = { hard = var.quota }
  })
  depends_on = [kubectl_manifest.namespace]
}

# The program creates what the folder lacks, and writes the same Secrets each time. It runs again when
# the folder or the release has another name, and when a service more needs a Secret.
resource "terraform_data" "secrets" {
  count = var.keys_folder == "" ? 0 : 1

  triggers_replace = [abspath(pathexpand(var.keys_folder)), var.release, var.namespace, var.region != null, var.operator != null, local.values.attachments.store == "s3"]
  depends_on       = [kubectl_manifest.namespace]

  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-euc"]
    command     = <<-EOT
      secrets=$("$NODE" "$PROGRAM" "$FOLDER" "$RELEASE" $OPTIONS)
      printf '%s' "$secrets" | "$KUBECTL" --context "$CONTEXT" --namespace "$NAMESPACE" apply --filename -
    EOT
    environment = merge(local.target, {
      NODE    = var.programs.node
      PROGRAM = "${local.infra}/helm/secrets.ts"
      FOLDER  = abspath(pathexpand(var.keys_folder))
      OPTIONS = var.region == null ? "" : "--region"
    })
  }
}

# Uninstalls the release on destroy. It is not replaced by an upgrade.
resource "terraform_data" "uninstall" {
  input      = local.target
  depends_on = [kubectl_manifest.quota, terraform_data.secrets]

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/sh", "-euc"]
    command     = "\"$HELM\" --kube-context \"$CONTEXT\" --namespace \"$NAMESPACE\" uninstall \"$RELEASE\" --ignore-not-found --wait"
    environment = self.output
  }
}

# Installs and upgrades. A replacement is one upgrade; nothing is uninstalled.
resource "terraform_data" "release" {
  triggers_replace = [local.values_checksum, local.chart_checksum]
  depends_on       = [terraform_data.uninstall]

  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-euc"]
    command     = local.helm_upgrade
    environment = local.helm_environment
  }
}

# The chart renders this ConfigMap with the same content. Another content means that Helm changed the
# values, or removed the release, without OpenTofu.
resource "kubectl_manifest" "checksum" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "${var.release}-release"
      namespace = var.namespace
      # By these, Helm accepts the object as its own when the release was removed.
      labels = { "app.kubernetes.io/managed-by" = "Helm" }
      annotations = {
        "meta.helm.sh/release-name"      = var.release
        "meta.helm.sh/release-namespace" = var.namespace
      }
    }
    data = { chart = local.metadata.version, values = local.values_checksum }
  })
  server_side_apply = true
  force_conflicts   = true
  apply_only        = true
  depends_on        = [terraform_data.release]
}

# Runs Helm again when the checksum was wrong. After an ordinary upgrade nothing differs, and Helm
# does not run twice.
resource "terraform_data" "repair" {
  depends_on = [kubectl_manifest.checksum]

  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-euc"]
    command     = <<-EOT
      manifest=$("$HELM" --kube-context "$CONTEXT" --namespace "$NAMESPACE" get manifest "$RELEASE" || true)
      if [ -n "$manifest" ] &&
        printf '%s' "$manifest" | "$KUBECTL" --context "$CONTEXT" --namespace "$NAMESPACE" diff --filename -
      then exit 0; fi
      ${local.helm_upgrade}
    EOT
    environment = local.helm_environment
  }

  lifecycle {
    replace_triggered_by = [kubectl_manifest.checksum]
  }
}

# The fields of the deployments that are changed by hand most often: pods and image.
resource "kubectl_manifest" "deployment" {
  for_each = local.scaled

  yaml_body = yamlencode({
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "${var.release}-${each.key}", namespace = var.namespace }
    # An autoscaler owns the number of pods of its service.
    spec = {
      for field, value in {
        replicas = try(var.replicas[each.key], 1) # There is one operator pod.
        template = { spec = { containers = [{ name = each.key, image = local.image }] } }
      } : field => value if field != "replicas" || each.value == null
    }
  })
  server_side_apply = true
  force_conflicts   = true
  apply_only        = true
  validate_schema   = false
  depends_on        = [terraform_data.repair]
}
