{{/* The configuration file. */}}

{{- define "opensaves-soak.sections" -}}
target load data verify objectives safety cloudwatch cost tracing storage
{{- end }}

{{/* Where the volume of persistence is mounted. */}}
{{- define "opensaves-soak.storagePath" -}}
{{- .Values.storage.path | default "/var/lib/opensaves-soak" -}}
{{- end }}

{{/* The sections that are set, with what follows from other values. */}}
{{- define "opensaves-soak.config" -}}
{{- $config := dict -}}
{{- range include "opensaves-soak.sections" . | splitList " " -}}
{{- $section := get $.Values . -}}
{{- if $section -}}
{{- $_ := set $config . (deepCopy $section) -}}
{{- end -}}
{{- end -}}
{{- if .Values.targetHeaders.existingSecret -}}
{{- $target := $config.target | default dict -}}
{{- $files := $target.header_files | default dict -}}
{{- range $header, $key := .Values.targetHeaders.headers -}}
{{- $_ := set $files $header (printf "/etc/opensaves-soak/headers/%s" $key) -}}
{{- end -}}
{{- $_ := set $config "target" (set $target "header_files" $files) -}}
{{- end -}}
{{- if .Values.persistence.enabled -}}
{{- $_ := set $config "storage" (dict "path" (include "opensaves-soak.storagePath" .)) -}}
{{- $data := $config.data | default dict -}}
{{- if not (hasKey $data "cleanup") -}}
{{- $_ := set $config "data" (set $data "cleanup" false) -}}
{{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{/* A checksum of all but the keys that the running program applies by itself. */}}
{{- define "opensaves-soak.checksum" -}}
{{- $config := include "opensaves-soak.config" . | fromYaml -}}
{{- $load := omit ($config.load | default dict) "rps" "max_rps" "default_ttl" "stages" "repeat" "scenarios" "read_ratio" -}}
{{- $config = ternary (set $config "load" $load) (omit $config "load") (gt (len $load) 0) -}}
{{- toYaml $config | sha256sum -}}
{{- end }}

{{/* Refuses values that contradict each other. */}}
{{- define "opensaves-soak.validate" -}}
{{- $daemon := eq .Values.mode "daemon" -}}
{{- if .Values.existingConfigMap -}}
{{- range list "load" "verify" "safety" "cloudwatch" "cost" "tracing" "storage" -}}
{{- if get $.Values . -}}
{{- fail (printf "%s: got it with existingConfigMap, want it in that ConfigMap" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.persistence.enabled (not $daemon) -}}
{{- fail (printf "persistence.enabled: got true with mode %s, want mode daemon: a finite run deletes what it made" .Values.mode) -}}
{{- end -}}
{{- if and .Values.persistence.enabled (not .Values.existingConfigMap) (not .Values.target.address) -}}
{{- fail "persistence.enabled: got true without target.address, want one: the embedded sandbox forgets everything when it ends" -}}
{{- end -}}
{{- if and .Values.prometheusRule.enabled (not $daemon) -}}
{{- fail (printf "prometheusRule.enabled: got true with mode %s, want mode daemon: its rules miss a tester that has ended" .Values.mode) -}}
{{- end -}}
{{- end }}
