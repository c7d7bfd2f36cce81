{{/*
The rules of package alerts. files/rules.yaml has them with marks such as @selector@ where values decide, and with what those marks need: default
objectives, pairs of burn rates, buckets. A test holds the result against the package, for other objectives too.
*/}}

{{/* The objectives: those that are set, else the defaults of the program. */}}
{{- define "opensaves-soak.objectives" -}}
{{- $objectives := (.Files.Get "files/rules.yaml" | fromYaml).objectives -}}
{{- range $key, $value := .Values.objectives -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $objectives $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $objectives -}}
{{- end }}

{{/* Takes text, which is JSON, and marks; what stands for a mark may hold any letter. */}}
{{- define "opensaves-soak.marked" -}}
{{- $text := .text -}}
{{- range $mark, $value := .marks -}}
{{- $text = replace (printf "@%s@" $mark) (toString $value | toJson | trimPrefix "\"" | trimSuffix "\"") $text -}}
{{- end -}}
{{- $text -}}
{{- end }}

{{/* The two rules of one objective for latency. */}}
{{- define "opensaves-soak.latencyRules" -}}
{{- $file := .file -}}
{{- with .objective -}}
{{- $rules := get $file.latency (toString .class) -}}
{{- $bucket := get $file.buckets (include "opensaves-soak.microseconds" (.threshold | default "0s")) -}}
{{- if not (and $rules $bucket (hasKey . "ratio")) -}}
{{- fail (printf "objectives.latency: got %s, want class, threshold and ratio, each as docs/configuration.md has it; opensaves-soak check-config says more" (toJson .)) -}}
{{- end -}}
{{- include "opensaves-soak.marked" (dict "text" (toJson $rules) "marks" (merge (dict "ratio" .ratio) $bucket)) -}}
{{- end -}}
{{- end }}

{{/* How many times too fast an error budget burns in the long window of a pair that alerts. */}}
{{- define "opensaves-soak.burnFactor" -}}
{{- $window := include "opensaves-soak.microseconds" .window -}}
{{- $long := include "opensaves-soak.microseconds" .burn.long -}}
{{- maxf 1 (divf (mulf .burn.budget $window) $long) -}}
{{- end }}

{{- define "opensaves-soak.groups" -}}
{{- $file := .Files.Get "files/rules.yaml" | fromYaml -}}
{{- $objectives := include "opensaves-soak.objectives" . | fromYaml -}}
{{- $standard := printf "namespace=%q,job=%q" .Release.Namespace (include "opensaves-soak.fullname" .) -}}
{{- $marks := dict
  "selector" (.Values.prometheusRule.selector | default $standard)
  "pods" .Values.prometheusRule.pods
  "runbooks" (.Values.prometheusRule.runbookURL | trimSuffix "/")
  "dashboards" (.Values.prometheusRule.dashboardURL | trimSuffix "/")
  "availability" $objectives.availability
  "achieved_rate" $objectives.achieved_rate
  "stale_ratio" $objectives.stale_ratio
-}}
{{- range $i, $burn := $file.burns -}}
{{- $_ := set $marks (printf "burn%d" $i) (include "opensaves-soak.burnFactor" (dict "window" $objectives.window "burn" $burn)) -}}
{{- end -}}
{{- range $group := $file.groups -}}
{{- $rules := list -}}
{{- range $rule := $group.rules -}}
{{- if $rule.latency -}}
{{- range $objectives.latency -}}
{{- $rules = concat $rules (include "opensaves-soak.latencyRules" (dict "file" $file "objective" .) | fromJsonArray) -}}
{{- end -}}
{{- else -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
{{- end -}}
{{- $_ := set $group "rules" $rules -}}
{{- end -}}
{{- include "opensaves-soak.marked" (dict "text" (toJson $file.groups) "marks" $marks) | fromJsonArray | toYaml -}}
{{- end }}
