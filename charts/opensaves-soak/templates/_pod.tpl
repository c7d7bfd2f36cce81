{{/* The pod that sends load, in every mode. */}}

{{- define "opensaves-soak.podTemplate" -}}
{{- $daemon := eq .Values.mode "daemon" -}}
metadata:
  labels:
    {{- merge (include "opensaves-soak.testerLabels" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml | nindent 4 }}
  annotations:
    {{- if not .Values.existingConfigMap }}
    checksum/config: {{ include "opensaves-soak.checksum" . }}
    {{- end }}
    kubectl.kubernetes.io/default-container: opensaves-soak
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "opensaves-soak.podIdentity" . | trim | nindent 2 }}
  automountServiceAccountToken: {{ and $daemon .Values.serviceAccount.automount }}
  terminationGracePeriodSeconds: {{ include "opensaves-soak.gracePeriod" . }}
  {{- if not $daemon }}
  restartPolicy: Never
  {{- end }}
  {{- include "opensaves-soak.scheduling" . | trim | nindent 2 }}
  containers:
    {{- include "opensaves-soak.container" . | nindent 4 }}
  volumes:
    {{- include "opensaves-soak.volumes" . | nindent 4 }}
{{- end }}

{{/* What every pod of the chart has, that of `helm test` too. */}}
{{- define "opensaves-soak.podIdentity" -}}
{{- with .Values.imagePullSecrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{ end -}}
serviceAccountName: {{ include "opensaves-soak.serviceAccountName" . }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end }}

{{- define "opensaves-soak.scheduling" -}}
affinity:
  {{- if .Values.affinity }}
  {{- toYaml .Values.affinity | nindent 2 }}
  {{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      {{- with .Values.targetPodLabels }}
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          namespaceSelector: {}
          labelSelector:
            matchLabels:
              {{- toYaml . | nindent 14 }}
      {{- end }}
      - weight: 50
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "opensaves-soak.testerLabels" . | nindent 14 }}
  {{- end }}
{{- range $key := list "nodeSelector" "tolerations" "topologySpreadConstraints" "priorityClassName" }}
{{- with get $.Values $key }}
{{ dict $key . | toYaml }}
{{- end }}
{{- end }}
{{- end }}

{{- define "opensaves-soak.container" -}}
- name: opensaves-soak # Rules find the tester's CPU by this name.
  image: {{ include "opensaves-soak.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    {{- include "opensaves-soak.args" . | trim | nindent 4 }}
  env:
    {{- include "opensaves-soak.env" . | trim | nindent 4 }}
  {{- with .Values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - {name: http, containerPort: 9842, protocol: TCP}
    {{- if .Values.webConfig.existingSecret }}
    - {name: probes, containerPort: 9843, protocol: TCP}
    {{- end }}
  {{- $apart := not (empty .Values.webConfig.existingSecret) }}
  {{- $port := ternary "probes" "http" $apart }}
  {{- $prefix := ternary "" .Values.routePrefix $apart }}
  # A large ledger takes its time to be read.
  startupProbe:
    httpGet: {path: {{ $prefix }}/-/healthy, port: {{ $port }}}
    periodSeconds: 2
    failureThreshold: 150
  livenessProbe:
    httpGet: {path: {{ $prefix }}/-/healthy, port: {{ $port }}}
    timeoutSeconds: 5
  readinessProbe:
    httpGet: {path: {{ $prefix }}/-/ready, port: {{ $port }}}
    timeoutSeconds: 5
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  volumeMounts:
    {{- include "opensaves-soak.volumeMounts" . | nindent 4 }}
{{- end }}

{{- define "opensaves-soak.args" -}}
- run
- --config.file=/etc/opensaves-soak/config/config.yaml
{{- if eq .Values.mode "daemon" }}
- --config.reload-interval=30s
- --kubernetes
- --kubernetes.name={{ include "opensaves-soak.fullname" . }}
{{- if .Values.fleet.hold }}
- --kubernetes.hold
{{- end }}
{{- else }}
- --duration={{ .Values.job.duration }}
- --summary.output={{ .Values.job.summaryOutput }}
{{- end }}
{{- with .Values.routePrefix }}
- --web.route-prefix={{ . }}
{{- end }}
{{- if .Values.controlToken.existingSecret }}
- --web.control-token-file=/etc/opensaves-soak/control-token/{{ .Values.controlToken.key }}
{{- end }}
{{- if .Values.webConfig.existingSecret }}
- --web.config.file=/etc/opensaves-soak/web/{{ .Values.webConfig.key }}
- --web.probe-address=:9843
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* extraEnv may set what is set here; a name must not stand there twice. */}}
{{- define "opensaves-soak.env" -}}
{{- $names := list -}}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end -}}
{{- range $name, $field := dict "POD_NAME" "metadata.name" "POD_NAMESPACE" "metadata.namespace" "POD_UID" "metadata.uid" "NODE_NAME" "spec.nodeName" -}}
{{- if not (has $name $names) }}
- name: {{ $name }}
  valueFrom: {fieldRef: {fieldPath: {{ $field }}}}
{{- end }}
{{- end }}
{{- $limit := include "opensaves-soak.goMemoryLimit" . }}
{{- if and $limit (not (has "GOMEMLIMIT" $names)) }}
- name: GOMEMLIMIT
  value: {{ $limit | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
