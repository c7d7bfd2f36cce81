{{/* What pods mount. Every volume of a Secret has a directory of its own, so that its updates arrive. */}}

{{- define "opensaves-soak.volumes" -}}
- name: config
  configMap:
    name: {{ .Values.existingConfigMap | default (printf "%s-config" (include "opensaves-soak.fullname" .)) }}
{{- if .Values.targetHeaders.existingSecret }}
- name: headers
  secret:
    secretName: {{ .Values.targetHeaders.existingSecret }}
    defaultMode: 0440
{{- end }}
{{- include "opensaves-soak.controlTokenVolume" . }}
{{- if .Values.webConfig.existingSecret }}
- name: web
  secret:
    secretName: {{ .Values.webConfig.existingSecret }}
    defaultMode: 0440
{{- end }}
{{- if ne .Values.mode "daemon" }}
- name: tmp
  emptyDir: {}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "opensaves-soak.volumeMounts" -}}
- {name: config, mountPath: /etc/opensaves-soak/config, readOnly: true}
{{- if .Values.targetHeaders.existingSecret }}
- {name: headers, mountPath: /etc/opensaves-soak/headers, readOnly: true}
{{- end }}
{{- include "opensaves-soak.controlTokenMount" . }}
{{- if .Values.webConfig.existingSecret }}
- {name: web, mountPath: /etc/opensaves-soak/web, readOnly: true}
{{- end }}
{{- if .Values.persistence.enabled }}
- {name: ledger, mountPath: {{ include "opensaves-soak.storagePath" . }}}
{{- end }}
{{- if ne .Values.mode "daemon" }}
- {name: tmp, mountPath: /tmp}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "opensaves-soak.controlTokenVolume" -}}
{{- if .Values.controlToken.existingSecret }}
- name: control-token
  secret:
    secretName: {{ .Values.controlToken.existingSecret }}
    defaultMode: 0440
    items: [{key: {{ .Values.controlToken.key }}, path: {{ .Values.controlToken.key }}}]
{{- end }}
{{- end }}

{{- define "opensaves-soak.controlTokenMount" -}}
{{- if .Values.controlToken.existingSecret }}
- {name: control-token, mountPath: /etc/opensaves-soak/control-token, readOnly: true}
{{- end }}
{{- end }}
