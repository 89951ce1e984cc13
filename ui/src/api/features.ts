// What this server can do stands in its own OpenAPI document: screens offer nothing that it would refuse.
import { api } from './client'
import { useQuery } from './query'

export interface OpenApi {
  info: { version: string; title: string }
  paths: Record<string, Record<string, any>>
  components: { schemas: Record<string, any> }
}

export const useOpenApi = () => useQuery('openapi', () => api.get<OpenApi>('/openapi.json'))

export function useHas(path: string): boolean | undefined {
  const document = useOpenApi().data
  return document && path in document.paths
}

// The values that a field of a body may have.
export function useEnum(schema: string, field: string, otherwise: string[]): string[] {
  return useOpenApi().data?.components.schemas[schema]?.properties?.[field]?.enum ?? otherwise
}
