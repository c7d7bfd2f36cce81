{{/* Durations and sizes, as numbers. */}}

{{/* A duration of the configuration file (30s, 1h30m, 30d, 2.5s, 500us), in whole microseconds. */}}
{{- define "opensaves-soak.microseconds" -}}
{{- $units := dict "us" 1 "µs" 1 "ms" 1e3 "s" 1e6 "m" 6e7 "h" 3.6e9 "d" 8.64e10 "w" 6.048e11 "y" 3.1536e13 -}}
{{- $text := toString . -}}
{{- if not (regexMatch "^(0|([0-9]+(\\.[0-9]+)?(us|µs|ms|[smhdwy]))+)$" $text) -}}
{{- fail (printf "got duration %q, want one such as 30s or 1h30m" $text) -}}
{{- end -}}
{{- $total := 0 -}}
{{- range regexFindAll "[0-9.]+(us|µs|ms|[smhdwy])" $text -1 -}}
{{- $unit := regexFind "[a-zµ]+$" . -}}
{{- $total = addf $total (mulf (trimSuffix $unit .) (get $units $unit)) -}}
{{- end -}}
{{- int64 (round $total 0) -}}
{{- end }}

{{/* 90 % of the memory limit, in bytes; nothing without a limit. */}}
{{- define "opensaves-soak.goMemoryLimit" -}}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- with ((.Values.resources).limits).memory -}}
{{- $number := regexFind "^[0-9]+(\\.[0-9]+)?([eE][+]?[0-9]+)?" (toString .) -}}
{{- $unit := trimPrefix $number (toString .) -}}
{{- if or (not $number) (not (hasKey $units $unit)) -}}
{{- fail (printf "resources.limits.memory: got %q, want bytes, or a number with k, M, G, T, Ki, Mi, Gi or Ti" (toString .)) -}}
{{- end -}}
{{- mulf $number (get $units $unit) 0.9 | floor | int64 -}}
{{- end -}}
{{- end }}

{{/* Seconds that a pod has to end: its last requests, the cleanup, and room to spare. */}}
{{- define "opensaves-soak.gracePeriod" -}}
{{- $target := .Values.target -}}
{{- $timeout := max (include "opensaves-soak.microseconds" ($target.timeout | default "5s")) (include "opensaves-soak.microseconds" ($target.blob_timeout | default "30s")) -}}
{{- $cleanup := include "opensaves-soak.microseconds" (.Values.data.cleanup_timeout | default "20s") -}}
{{- .Values.terminationGracePeriodSeconds | default (divf (add $timeout $cleanup) 1e6 | ceil | add 10) | int64 -}}
{{- end }}

{{/* The port of an address: of host:port, or of a URL, which may leave it out. */}}
{{- define "opensaves-soak.port" -}}
{{- $standard := ternary "443" "80" (hasPrefix "https://" (lower .)) -}}
{{- regexFind ":[0-9]+/*$" . | trimPrefix ":" | trimSuffix "/" | default $standard -}}
{{- end }}
