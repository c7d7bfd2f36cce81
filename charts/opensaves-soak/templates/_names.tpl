{{/* Names and labels. */}}

{{- define "opensaves-soak.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{/* 52 letters leave room for what controllers append within the 63 of a label. */}}
{{- define "opensaves-soak.fullname" -}}
{{- $name := include "opensaves-soak.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $full | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{- define "opensaves-soak.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "opensaves-soak.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end }}

{{/* What the pods of a release are found by; it can never change. */}}
{{- define "opensaves-soak.selectorLabels" -}}
app.kubernetes.io/name: {{ include "opensaves-soak.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The pods that send load, and not that of `helm test`. */}}
{{- define "opensaves-soak.testerLabels" -}}
{{ include "opensaves-soak.selectorLabels" . }}
app.kubernetes.io/component: tester
{{- end }}

{{- define "opensaves-soak.labels" -}}
{{- $own := include "opensaves-soak.ownLabels" . | fromYaml -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end }}

{{- define "opensaves-soak.ownLabels" -}}
{{ include "opensaves-soak.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "opensaves-soak.image" -}}
{{- if not .Values.image.repository -}}
{{- fail (include "opensaves-soak.noImage" .) -}}
{{- end -}}
{{- with .Values.global.imageRegistry | default .Values.image.registry -}}
{{ . | trimSuffix "/" }}/
{{- end -}}
{{ .Values.image.repository }}
{{- if .Values.image.digest -}}
@{{ .Values.image.digest }}
{{- else -}}
:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "opensaves-soak.noImage" }}

image.repository: got none, want the repository of an image: there is no public one. To build it and push it to Amazon ECR, from the sources:

  docker build --build-arg VERSION={{ .Chart.AppVersion }} --tag opensaves-soak:{{ .Chart.AppVersion }} .
  registry=$(aws sts get-caller-identity --query Account --output text).dkr.ecr.$(aws configure get region).amazonaws.com
  aws ecr create-repository --repository-name opensaves-soak
  aws ecr get-login-password | docker login --username AWS --password-stdin $registry
  docker tag opensaves-soak:{{ .Chart.AppVersion }} $registry/opensaves-soak:{{ .Chart.AppVersion }}
  docker push $registry/opensaves-soak:{{ .Chart.AppVersion }}

Then install with --set image.registry=$registry --set image.repository=opensaves-soak
{{ end }}

{{/* What is spoken on the port. */}}
{{- define "opensaves-soak.scheme" -}}
{{- ternary .Values.webConfig.scheme "http" (not (empty .Values.webConfig.existingSecret)) -}}
{{- end }}
