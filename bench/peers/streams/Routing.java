import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The same job with Kafka Streams: exactly once, its state in RocksDB and in changelog topics, no Postgres.
 *
 * <p>Intake stores each message once and gives it its position; a conversation's first one goes to the desk,
 * which gives the conversation the next agent. Both are parts of one application.
 */
public final class Routing {
    private static final String DESK = "main";
    private static final Duration REMEMBERED = Duration.ofDays(30);
    private static final UUID CONVERSATIONS = UUID.fromString("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c01");
    private static final UUID MESSAGES = UUID.fromString("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c02");

    private static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /** What a customer wrote, as it lies on inbound. */
    record Said(
            String channel,
            String account,
            String user,
            String channelMessageId,
            long sentAtMs,
            String text,
            String customerName) {
        String page() {
            return channel + ":" + account;
        }
    }

    /** The event of one message in its place. */
    record Stored(
            String workspace,
            String desk,
            UUID conversation,
            String key,
            String page,
            String channel,
            UUID message,
            int position,
            int session,
            String sender,
            String kind,
            String text,
            String channelMessageId,
            String sentAt,
            String storedAt,
            int seq,
            int epoch) {}

    /** Asks the desk for an agent. */
    record Route(UUID conversation, String key, String page) {}

    /** The event that gives a conversation its agent. */
    record Assigned(
            String workspace,
            String desk,
            UUID conversation,
            String key,
            String page,
            int seq,
            int epoch,
            int round,
            int session,
            int afterPosition,
            String at,
            String standing,
            String holder,
            String care) {}

    /** Stores each message once; a conversation's first one asks the desk for an agent. */
    static final class Intake implements Processor<String, Said, String, Object> {
        private final String workspace;
        private ProcessorContext<String, Object> context;
        private WindowStore<String, Integer> seen;
        private KeyValueStore<String, Integer> positions;

        Intake(String workspace) {
            this.workspace = workspace;
        }

        @Override
        public void init(ProcessorContext<String, Object> context) {
            this.context = context;
            seen = context.getStateStore("seen");
            positions = context.getStateStore("positions");
        }

        @Override
        public void process(Record<String, Said> record) {
            String key = record.key();
            Said said = record.value();
            UUID message = uuid5(MESSAGES, said.page() + "\n" + said.channelMessageId());
            if (isRepeated(message, record.timestamp())) {
                return;
            }
            Integer before = positions.get(key);
            int position = before == null ? 1 : before + 1;
            positions.put(key, position);
            UUID conversation = uuid5(CONVERSATIONS, key);
            context.forward(stored(record, conversation, message, position), "messages");
            if (before == null) {
                Route route = new Route(conversation, key, said.page());
                String desk = workspace + ":" + DESK;
                context.forward(event("commands", "route", desk, route, record.timestamp()), "commands");
            }
        }

        private boolean isRepeated(UUID message, long at) {
            String id = message.toString();
            try (var found = seen.fetch(id, at - REMEMBERED.toMillis(), at + REMEMBERED.toMillis())) {
                if (found.hasNext()) {
                    return true;
                }
            }
            seen.put(id, 1, at);
            return false;
        }

        private Record<String, Object> stored(
                Record<String, Said> record, UUID conversation, UUID message, int position) {
            Said said = record.value();
            long at = record.timestamp();
            Stored stored = new Stored(
                    workspace, DESK, conversation, record.key(), said.page(), said.channel(), message, position, 1,
                    "customer", "text", said.text(), said.channelMessageId(), time(said.sentAtMs()), time(at), 1, 1);
            return event("messages", "stored", record.key(), stored, at);
        }
    }

    /** Gives each conversation the next agent, and remembers which. */
    static final class Desk implements Processor<String, Route, String, Object> {
        private final String workspace;
        private final List<String> agents;
        private ProcessorContext<String, Object> context;
        private KeyValueStore<String, Integer> turns;
        private KeyValueStore<String, String> holders;

        Desk(String workspace, List<String> agents) {
            this.workspace = workspace;
            this.agents = agents;
        }

        @Override
        public void init(ProcessorContext<String, Object> context) {
            this.context = context;
            turns = context.getStateStore("turns");
            holders = context.getStateStore("holders");
        }

        @Override
        public void process(Record<String, Route> record) {
            Route route = record.value();
            Integer last = turns.get(record.key());
            int turn = last == null ? 0 : (last + 1) % agents.size();
            String agent = agents.get(turn);
            turns.put(record.key(), turn);
            holders.put(route.key(), agent);
            Assigned assigned = new Assigned(
                    workspace, DESK, route.conversation(), route.key(), route.page(), 1, 1, 1, 1, 1,
                    time(record.timestamp()), "held", agent, "accepted");
            context.forward(event("assignments", "assigned", route.key(), assigned, record.timestamp()));
        }
    }

    private static Topology topology(String prefix, String workspace, List<String> agents) {
        var text = Serdes.String();
        var events = json(Object.class).serializer();
        var seen = Stores.persistentWindowStore("seen", REMEMBERED, Duration.ofMillis(1), false);
        return new Topology()
                .addSource("inbound", text.deserializer(), json(Said.class).deserializer(), prefix + ".inbound.v1")
                .addProcessor("intake", () -> new Intake(workspace), "inbound")
                .addStateStore(Stores.windowStoreBuilder(seen, text, Serdes.Integer()), "intake")
                .addStateStore(cached("positions", Serdes.Integer()), "intake")
                .addSink("messages", prefix + ".messages.v1", text.serializer(), events, "intake")
                .addSink("commands", prefix + ".commands.v1", text.serializer(), events, "intake")
                .addSource("routes", text.deserializer(), json(Route.class).deserializer(), prefix + ".commands.v1")
                .addProcessor("desk", () -> new Desk(workspace, agents), "routes")
                .addStateStore(cached("turns", Serdes.Integer()), "desk")
                .addStateStore(cached("holders", text), "desk")
                .addSink("assignments", prefix + ".assignments.v1", text.serializer(), events, "desk");
    }

    private static <T> StoreBuilder<KeyValueStore<String, T>> cached(
            String name, Serde<T> values) {
        var store = Stores.persistentKeyValueStore(name);
        return Stores.keyValueStoreBuilder(store, Serdes.String(), values).withCachingEnabled();
    }

    private static Record<String, Object> event(String topic, String what, String key, Object value, long at) {
        Headers headers = new RecordHeaders();
        add(headers, "ce_specversion", "1.0");
        add(headers, "ce_id", UUID.randomUUID().toString());
        add(headers, "ce_source", "tongdai/bench");
        add(headers, "ce_type", "tongdai." + topic + "." + what + ".v1");
        add(headers, "ce_time", time(at));
        add(headers, "ce_subject", key);
        add(headers, "ce_dataschema", "urn:tongdai:" + topic + ":" + what + ":v1");
        add(headers, "content-type", "application/json");
        return new Record<>(key, value, at, headers);
    }

    private static void add(Headers headers, String name, String value) {
        headers.add(name, value.getBytes(UTF_8));
    }

    private static String time(long ms) {
        return Instant.ofEpochMilli(ms).toString();
    }

    /** UUIDv5, which Java does not make by itself. */
    private static UUID uuid5(UUID namespace, String name) {
        byte[] bytes = name.getBytes(UTF_8);
        ByteBuffer named = ByteBuffer.allocate(16 + bytes.length)
                .putLong(namespace.getMostSignificantBits())
                .putLong(namespace.getLeastSignificantBits())
                .put(bytes);
        ByteBuffer digest = ByteBuffer.wrap(sha1().digest(named.array()));
        long high = digest.getLong() & ~0xF000L | 0x5000L;
        long low = digest.getLong() & 0x3FFF_FFFF_FFFF_FFFFL | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }

    private static MessageDigest sha1() {
        try {
            return MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
    }

    private static <T> Serde<T> json(Class<T> type) {
        return Serdes.serdeFrom((topic, value) -> write(value), (topic, bytes) -> read(bytes, type));
    }

    private static byte[] write(Object value) {
        try {
            return JSON.writeValueAsBytes(value);
        } catch (JsonProcessingException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static <T> T read(byte[] bytes, Class<T> type) {
        try {
            return JSON.readValue(bytes, type);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Arguments: bootstrap servers, prefix of topics, threads, workspace, agents. */
    public static void main(String[] arguments) {
        Properties options = new Properties();
        options.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1] + ".streams");
        options.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        options.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[2]);
        options.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        List<String> agents = List.of(arguments).subList(4, arguments.length);
        KafkaStreams streams = new KafkaStreams(topology(arguments[1], arguments[3], agents), options);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
