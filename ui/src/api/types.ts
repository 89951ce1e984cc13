// Shapes that the OpenAPI document leaves open: what the server sends, as far as the screens read it.
export type JobStatus = 'pending' | 'running' | 'incomplete' | 'succeeded' | 'failed' | 'cancelled'

export interface Failure {
  code?: string
  type?: string
  message: string
  detail?: string
  remedy?: string
  retryable?: boolean
  details?: unknown
  cause?: Failure | null
}

export interface JobAttempt {
  number: number
  startTime: string
  endTime: string | null
  failure?: Failure | null
}

export interface JobStep {
  activityId: string
  name: string
  status: string
  startTime: string | null
  endTime: string | null
  attempts: JobAttempt[]
  failure?: Failure | null
  nextAttemptTime?: string | null
}

export interface JobStream {
  namespace: string
  name: string
  status: string
  rowsRead: number
  rowsCommitted: number
  rowsEstimate: number | null
  rowsQuarantined: number
  bytesRead: number
  bytesCommitted: number
  rate: number
  slowSide?: string | null
  consistency: string | null
  splits: { complete: number; total: number }
  failure: Failure | null
}

export interface RevisionRef {
  id: string
  revision: number
}

export interface JobSummary {
  jobId: number
  status: JobStatus
  jobType: string
  connectionId: string | null
  connectionName: string | null
  startTime: string
  lastUpdatedAt: string
  rowsSynced: number
  bytesSynced: number
  partial: boolean
  principal: string
  failure: Failure | null
}

export interface Job extends JobSummary {
  workflowId: string
  runId: string
  steps: JobStep[]
  streams: JobStream[]
  revisions: Partial<Record<'connection' | 'source' | 'destination', RevisionRef>>
  waitingFor?: { queue: string; reason: string; detail: string; position: number } | null
}

export interface StreamConfig {
  namespace?: string
  name: string
  syncMode?: string
  primaryKey?: string[][]
  cursorField?: string[]
  selectedFields?: { fieldPath: string[] }[]
  destinationObjectName?: string
}

export interface ConnectionSchedule {
  scheduleType: 'manual' | 'cron' | 'basic' | 'continuous'
  cronExpression?: string
  cronTimeZone?: string
  basicTiming?: string
}

export interface Connection {
  connectionId: string
  name: string
  sourceId: string
  destinationId: string
  status: 'active' | 'inactive'
  schedule: ConnectionSchedule
  namespaceDefinition: string
  namespaceFormat?: string
  prefix: string
  nonBreakingSchemaUpdatesBehavior: string
  metadataColumns: string
  configurations: { streams?: StreamConfig[] }
  tags: unknown[]
  createdAt: number
  updatedAt: number
  revision: number
}

export interface Actor {
  sourceId?: string
  destinationId?: string
  sourceType?: string
  destinationType?: string
  definitionId: string
  name: string
  configuration: Record<string, unknown>
  createdAt: number
  updatedAt: number
  revision: number
}

export interface Connector {
  name: string
  definitionId: string
  title: string
  source: boolean
  destination: boolean
  sourceModes: string[]
  destinationModes: string[]
}

export interface Spec extends Connector {
  sourceSpec: Schema | null
  destinationSpec: Schema | null
}

// JSON Schema, draft 7, with Airbyte's annotations.
export interface Schema {
  type?: string | string[]
  title?: string
  description?: string
  default?: unknown
  const?: unknown
  enum?: unknown[]
  examples?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  oneOf?: Schema[]
  items?: Schema
  minimum?: number
  maximum?: number
  pattern?: string
  order?: number
  airbyte_secret?: boolean
  airbyte_hidden?: boolean
  always_show?: boolean
  multiline?: boolean
}

export interface CheckResult {
  status: 'succeeded' | 'failed'
  code?: string | null
  message?: string | null
  remedy?: string | null
  jobId: number
}

export interface CatalogStream {
  name: string
  namespace?: string
  source_defined_primary_key: string[][]
  default_cursor_field: string[]
  millrace: {
    fields: { name: string; kind: string; nullable: boolean; sourceType?: string }[]
    cursorCandidates: string[]
    syncModes: string[]
    rowsEstimate?: number
    bytesEstimate?: number
    isView?: boolean
  }
}

export interface Execution {
  workflowId: string
  runId: string
  type: string
  status: string
  blocked: boolean
  setAside: boolean
  startTime: string
  closeTime: string | null
  historyLength: number
  historySizeBytes: number
  cancelRequested: boolean
  memo: Record<string, any> | null
}

export interface ExecutionStep {
  activityId: string
  type: string
  status: string
  scheduledEventId: number
  scheduledTime: string
  closeTime: string | null
  nextAttemptTime: string | null
  queue: string
  attempts: { attempt: number; startTime: string; endTime: string | null; failure: Failure | null }[]
  paused: boolean
  lastFailure: Failure | null
  heartbeatDetails: unknown
  result: unknown
  waitingFor: { queue: string; reason: string; detail: string; position: number } | null
}

export interface ExecutionDetail extends Execution {
  input: unknown
  result: unknown
  failure: Failure | null
  divergence: { eventId: number; expected: string; got: string; position: string } | null
  parent: { workflowId: string; runId: string } | null
  firstRunId: string
  continuedRunId: string | null
  children: { workflowId: string; runId: string | null; type: string; status: string }[]
  steps: ExecutionStep[]
  pending: ExecutionStep[]
  timers: { timerId: string; fireTime: string; [more: string]: unknown }[]
  pendingSignals: unknown[]
  pendingUpdates: unknown[]
}

export interface HistoryEvent {
  id: number
  time: string
  type: string
  attributes: Record<string, any>
}

export interface LogLine {
  seq: number
  time: string
  level: string
  step: string
  text: string
}

export interface StreamState {
  namespace: string
  name: string
  revision: number
  jobId: number
  author: string
  updatedAt: string
  state: unknown
}
