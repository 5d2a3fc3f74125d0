/**
 * Memory nodes and their zones (include/linux/mmzone.h, include/linux/topology.h, 6.1): node n has the n-th part of
 * memory, in one zone, and every NODES-th CPU. Left out: nodes of different sizes, distances between nodes (another
 * node's memory costs the same), zones by address, LRU lists and kswapd of each node: those are the machine's.
 */
import { NODES } from '#config'
import { NODE_PAGES } from '../arch/limits.ts'
import { this_cpu } from '../arch/machine.ts'
import { ZONES } from '../arch/memory_map.ts'
import { page_to_pfn } from '../arch/pgtable.ts'
import type { Page, Zone } from '../arch/structs.ts'
import { ZONE_WORDS } from '../arch/structs.ts'

export function cpu_to_node(cpu: number): number {
  return NODES === 1 ? 0 : cpu % NODES
}

export function node_zone(nid: number): Zone {
  return (NODES === 1 ? ZONES : ZONES + nid * ZONE_WORDS) as Zone
}

/** The zone of this CPU's node. */
export function local_zone(): Zone {
  return node_zone(cpu_to_node(this_cpu))
}

/** The zone that is tried after `zone`: after the last one the first. */
export function next_zone(zone: Zone): Zone {
  return (zone === ZONES + (NODES - 1) * ZONE_WORDS ? ZONES : zone + ZONE_WORDS) as Zone
}

export function pfn_zone(pfn: number): Zone {
  return node_zone(Math.trunc(pfn / NODE_PAGES))
}

export function page_zone(page: Page): Zone {
  return pfn_zone(page_to_pfn(page))
}
