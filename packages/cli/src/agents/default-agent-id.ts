/** Of the agent that is there without any configuration. */
export const defaultAgentId = 'default'
