import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;

/** Drives Kafka's Java client: {@code JavaClient <command> name=value ...}; what it does is in ../clients.ts. */
public final class JavaClient {
    private static Map<String, String> options;

    public static void main(String[] args) throws Exception {
        options = List.of(args).subList(1, args.length).stream()
            .map(word -> word.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        switch (args[0]) {
            case "produce" -> produce();
            case "consume" -> consume();
            case "group" -> group();
            case "member" -> member();
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void produce() throws Exception {
        Properties settings = common();
        settings.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        settings.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        settings.put("compression.type", options.get("codec"));
        settings.put("linger.ms", "20");
        int first = Integer.parseInt(options.get("first"));
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
            for (int index = first; index < first + Integer.parseInt(options.get("count")); index++) {
                ProducerRecord<String, String> record = new ProducerRecord<>(options.get("topic"), "k" + index, options.get("value") + index);
                record.headers().add("client", "java".getBytes());
                sent.add(producer.send(record));
            }
            for (Future<RecordMetadata> each : sent) each.get();
        }
    }

    private static void consume() {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(consumerSettings())) {
            List<TopicPartition> partitions = consumer.partitionsFor(options.get("topic")).stream()
                .map(each -> new TopicPartition(each.topic(), each.partition()))
                .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            read(consumer);
        }
    }

    private static void group() {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(memberSettings())) {
            consumer.subscribe(List.of(options.get("topic")));
            read(consumer);
            consumer.commitSync();
        }
    }

    private static void member() {
        AtomicBoolean isOver = new AtomicBoolean();
        Thread input = new Thread(() -> {
            try {
                while (System.in.read() >= 0) continue;
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
            isOver.set(true);
        });
        input.setDaemon(true);
        input.start();
        TreeSet<Integer> held = new TreeSet<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(memberSettings())) {
            consumer.subscribe(List.of(options.get("topic")), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    for (TopicPartition each : partitions) held.remove(each.partition());
                    tell("{\"assigned\":" + held + "}");
                }

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    for (TopicPartition each : partitions) held.add(each.partition());
                    tell("{\"assigned\":" + held + "}");
                }
            });
            while (!isOver.get()) {
                var records = consumer.poll(Duration.ofMillis(100));
                records.forEach(JavaClient::tellRecord);
                if (records.isEmpty()) continue;
                try {
                    consumer.commitSync();
                } catch (CommitFailedException | RebalanceInProgressException error) {
                    // A rebalance came between: whoever has the partition now reads it again.
                    tell("{\"notCommitted\":\"" + error.getClass().getSimpleName() + "\"}");
                }
            }
        }
    }

    private static void read(KafkaConsumer<String, String> consumer) {
        int count = Integer.parseInt(options.get("count"));
        for (int seen = 0; seen < count;) {
            var records = consumer.poll(Duration.ofMillis(200));
            records.forEach(JavaClient::tellRecord);
            seen += records.count();
        }
    }

    private static Properties common() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", options.get("broker"));
        return settings;
    }

    private static Properties consumerSettings() {
        Properties settings = common();
        settings.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        settings.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        settings.put("enable.auto.commit", "false");
        settings.put("auto.offset.reset", "earliest");
        return settings;
    }

    private static Properties memberSettings() {
        Properties settings = consumerSettings();
        settings.put("group.id", options.get("group"));
        settings.put("session.timeout.ms", "2000");
        settings.put("heartbeat.interval.ms", "400");
        String assignor = options.get("sharing").equals("cooperative") ? "CooperativeStickyAssignor" : "RangeAssignor";
        settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor);
        return settings;
    }

    private static void tellRecord(ConsumerRecord<String, String> record) {
        var header = record.headers().lastHeader("client");
        String client = header == null ? "" : new String(header.value());
        tell("{\"partition\":" + record.partition() + ",\"offset\":" + record.offset() + ",\"key\":\"" + record.key() + "\",\"value\":\""
            + record.value() + "\",\"client\":\"" + client + "\"}");
    }

    private static synchronized void tell(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
